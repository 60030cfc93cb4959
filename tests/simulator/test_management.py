"""The management service: configurations, logs, checks, maintenance, bundles; and who may ask for them."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import grpc
import pytest
import yaml
from google.protobuf import duration_pb2

from omni_gateway.simulator import kinds
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.simulator.seed import fleet
from omni_gateway.simulator.state.store import Store
from omni_gateway.stubs import machine_pb2
from omni_gateway.stubs import management_pb2 as pb
from tests.simulator.caller import Caller, denied, invalid, refused
from tests.simulator.service_calls import first, make_cluster, management, spec_of, talos

PLANE, WORKER, FREE = fleet.machine_id(0), fleet.machine_id(1), fleet.machine_id(3)
C1 = ("context", "c1")
failed = grpc.StatusCode.FAILED_PRECONDITION


@pytest.fixture(scope="module", autouse=True)
def cluster(sim: RunningSimulator, wait_until: Callable[..., Any]) -> None:
    make_cluster(sim.store, wait_until, "c1", [PLANE, WORKER])


# -- configurations


def test_a_service_accounts_kubeconfig_has_a_token_that_names_user_groups_and_end(operator: Caller) -> None:
    ttl = duration_pb2.Duration(seconds=3600)
    request = pb.KubeconfigRequest(
        service_account=True, service_account_user="ci", service_account_groups=["ops"], service_account_ttl=ttl
    )

    answer = management(operator, "Kubeconfig", request, C1)

    token = yaml.safe_load(answer.kubeconfig)["users"][0]["user"]["token"]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (claims["sub"], claims["groups"], claims["exp"] - claims["iat"]) == ("ci", ["ops"], 3600)


def test_odd_kubeconfigs_are_refused(admin: Caller) -> None:
    with invalid("grant"):
        management(admin, "Kubeconfig", pb.KubeconfigRequest(grant_type="magic"), C1)
    with denied():
        management(admin, "Kubeconfig", pb.KubeconfigRequest(break_glass=True), C1)
    with denied():
        management(admin, "Talosconfig", pb.TalosconfigRequest(raw=True), C1)


def test_talosconfig_and_omniconfig_name_the_caller(reader: Caller, call_as: Callable[[str], Caller]) -> None:
    talosconfig = yaml.safe_load(management(reader, "Talosconfig", pb.TalosconfigRequest(), C1).talosconfig)
    omniconfig = yaml.safe_load(management(call_as("None"), "Omniconfig").omniconfig)

    context = talosconfig["contexts"][talosconfig["context"]]
    assert context["cluster"] == "c1"
    assert "made-reader" in context["auth"]["siderov1"]["identity"]
    assert "made-none" in omniconfig["contexts"]["default"]["auth"]["siderov1"]["identity"]


# -- logs


def test_a_machines_log_is_a_json_line_a_message(reader: Caller) -> None:
    answer = management(reader, "MachineLogs", pb.MachineLogsRequest(machine_id=WORKER, tail_lines=-1))

    lines = [json.loads(data.bytes) for data in answer]
    assert len(lines) > 5
    assert {"msg", "talos-level", "talos-time"} <= lines[0].keys()
    assert any("installing Talos" in line["msg"] for line in lines)


def test_a_tail_is_as_long_as_asked_and_the_default_is_none(reader: Caller) -> None:
    assert len(list(management(reader, "MachineLogs", pb.MachineLogsRequest(machine_id=WORKER, tail_lines=2)))) == 2
    assert list(management(reader, "MachineLogs", pb.MachineLogsRequest(machine_id=WORKER))) == []


def test_following_a_log_shows_what_happens_to_the_machine(reader: Caller, operator: Caller) -> None:
    request = pb.MachineLogsRequest(machine_id=PLANE, follow=True, tail_lines=1)
    stream = management(reader, "MachineLogs", request)
    first(stream, 1)

    talos(operator, "Reboot", machine_pb2.RebootRequest(), node=PLANE)

    assert "rebooting" in json.loads(first(stream, 1)[0].bytes)["msg"]
    stream.cancel()


# -- checks


def test_upgrade_checks_tell_a_possible_path_from_an_impossible_one(
    operator: Caller, store: Store, wait_until: Callable[..., Any]
) -> None:
    wait_until(lambda: spec_of(store, kinds.CLUSTER_STATUS, "c1")["ready"])
    check = "KubernetesUpgradePreChecks"

    assert management(operator, check, pb.KubernetesUpgradePreChecksRequest(new_version="1.35.7"), C1).ok
    with invalid():
        management(operator, check, pb.KubernetesUpgradePreChecksRequest(new_version="1.33.6"), C1)


# -- machines outside of clusters


def test_a_free_machine_is_taken_to_another_talos(
    operator: Caller, store: Store, wait_until: Callable[..., Any]
) -> None:
    management(operator, "MaintenanceUpgrade", pb.MaintenanceUpgradeRequest(machine_id=FREE, version="1.13.8"))

    wait_until(lambda: spec_of(store, kinds.MACHINE_STATUS, FREE)["talos_version"] == "v1.13.8")
    wait_until(lambda: spec_of(store, kinds.MACHINE_UPGRADE_STATUS, FREE)["phase"] == 3)
    management(operator, "MaintenanceUpgrade", pb.MaintenanceUpgradeRequest(machine_id=FREE, version="1.13.8"))


@pytest.mark.parametrize(("machine", "version"), [(WORKER, "1.13.8"), (FREE, "9.9.9")])
def test_a_member_and_an_unknown_version_are_no_maintenance_upgrade(
    operator: Caller, machine: str, version: str
) -> None:
    with refused(failed):
        management(operator, "MaintenanceUpgrade", pb.MaintenanceUpgradeRequest(machine_id=machine, version=version))


def test_an_installation_tells_how_it_goes_until_it_is_done(
    operator: Caller, store: Store, wait_until: Callable[..., Any]
) -> None:
    machine = fleet.machine_id(2)
    install = pb.MaintenanceLifecycleRequest.OPERATION_INSTALL
    request = pb.MaintenanceLifecycleRequest(machine_id=machine, operation=install, disk="/dev/vda")

    messages = [answer.message for answer in management(operator, "MaintenanceLifecycle", request)]

    assert messages[-1] == "done"
    wait_until(lambda: "installed" in spec_of(store, kinds.MACHINE_INSTALL_DISK_STATUS, machine)["message"])
    with refused(failed, "already"):
        list(management(operator, "MaintenanceLifecycle", request))


@pytest.mark.parametrize("call", ["MachinePowerOn", "MachinePowerOff"])
def test_power_is_for_machines_of_static_providers_only(call: str, operator: Caller) -> None:
    with refused(failed):
        management(operator, call, getattr(pb, call + "Request")(machine_id=FREE))


# -- bundles, images, joining


def test_a_support_bundle_is_a_zip_of_the_cluster_without_join_tokens(operator: Caller, store: Store) -> None:
    answers = list(management(operator, "GetSupportBundle", pb.GetSupportBundleRequest(cluster="c1")))

    bundle = zipfile.ZipFile(io.BytesIO(answers[-1].bundle_data))
    names = bundle.namelist()
    assert "omni/resources/Clusters.omni.sidero.dev/c1.json" in names
    assert f"{WORKER}/machine.log" in names
    assert [answer.progress.value for answer in answers[:2]] == [1, 2]
    token = store.get("default", kinds.DEFAULT_JOIN_TOKEN, "default").spec["token_id"]
    assert not any(token in bundle.read(name).decode() for name in names)


def test_a_support_bundle_of_no_cluster_is_empty_and_says_so(operator: Caller) -> None:
    answers = list(management(operator, "GetSupportBundle", pb.GetSupportBundleRequest(cluster="nowhere")))

    assert answers[0].progress.error
    assert zipfile.ZipFile(io.BytesIO(answers[-1].bundle_data)).namelist() == []


@pytest.mark.parametrize("talos", ["1.12.11", "1.13.8"])
def test_the_catalogue_has_the_extensions_that_public_templates_name(admin: Caller, talos: str) -> None:
    named = (
        "amd-ucode amdgpu btrfs cloudflared drbd fuse3 gvisor i915 intel-ucode iscsi-tools kata-containers lldpd mei"
    )
    named += " nonfree-kmod-nvidia-lts nut-client nvidia-container-toolkit-production nvidia-fabricmanager-lts"
    named += " nvidia-open-gpu-kernel-modules-production qemu-guest-agent realtek-firmware spin stargz-snapshotter"
    named += " tailscale thunderbolt uinput util-linux-tools v4l-uvc-drivers vmtoolsd-guest-agent xen-guest-agent zfs"

    items = admin.get("TalosExtensions", talos)["spec"]["items"]

    names = {item["name"]: item["version"] for item in items}
    assert [name for name in named.split() if f"siderolabs/{name}" not in names] == []
    assert names["siderolabs/zfs"].endswith(f"-v{talos}")


def test_an_older_talos_has_fewer_extensions(admin: Caller) -> None:
    old, new = (
        {item["name"] for item in admin.get("TalosExtensions", v)["spec"]["items"]} for v in ("1.9.5", "1.13.8")
    )

    assert old < new
    assert "siderolabs/xe" in new - old


def test_a_boot_asset_has_a_url_for_each_kind(operator: Caller) -> None:
    iso = pb.BootAssetURLRequest.BOOT_ASSET_KIND_ISO
    request = pb.BootAssetURLRequest(schematic_id="abc", talos_version="1.13.8", boot_asset_kind=iso)

    answer = management(operator, "GetBootAssetURL", request)

    assert answer.url.endswith("/image/abc/v1.13.8/metal-amd64.iso")


def test_a_new_join_token_is_active_and_can_be_used_to_join(
    admin: Caller, reader: Caller, store: Store, wait_until: Callable[..., Any]
) -> None:
    token = management(admin, "CreateJoinToken", pb.CreateJoinTokenRequest(name="lab")).id

    status = wait_until(lambda: spec_of(store, kinds.JOIN_TOKEN_STATUS, token))
    answer = management(reader, "GetMachineJoinConfig", pb.GetMachineJoinConfigRequest(join_token=token))

    assert (status["state"], status["is_default"], status["name"]) == (1, False, "lab")
    assert token in answer.kernel_args[0]
    assert token in answer.config


# -- accounts and audit


def test_users_and_service_accounts_are_an_admins_matter(admin: Caller, operator: Caller) -> None:
    management(admin, "CreateUser", pb.CreateUserRequest(email="ann@example.org", role="Reader"))

    users = management(admin, "ListUsers").users
    accounts = management(admin, "ListServiceAccounts").service_accounts

    assert [(user.email, user.role) for user in users] == [("ann@example.org", "Reader")]
    assert any(account.role == "Operator" and account.pgp_public_keys for account in accounts)
    with denied():
        management(operator, "ListUsers")


def test_the_audit_log_tells_who_wrote_what(operator: Caller, call_as: Callable[[str], Caller]) -> None:
    operator.create("MachineLabels", "labelled", labels={"rack": "7"})

    answers = management(call_as("Auditor"), "ReadAuditLog", pb.ReadAuditLogRequest(resource_id="labelled"))

    entries = [json.loads(answer.audit_log) for answer in answers]
    assert [entry["event_type"] for entry in entries] == ["create"]
    assert "made-operator" in entries[0]["event_data"]["session"]["email"]
