"""What each method asks of Omni, word for word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.message import Message

from omni_gateway.omni import OmniClient, rpcs
from omni_gateway.omni.management import Overlay
from omni_gateway.stubs import auth_pb2 as auth
from omni_gateway.stubs import cosi_resource_pb2 as cosi
from omni_gateway.stubs import machine_pb2, oidc_pb2
from omni_gateway.stubs import management_pb2 as pb
from omni_gateway.stubs import resources_pb2 as resources
from tests.omni_client.scripted_omni import STREAMS, ScriptedOmni

MOMENT = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)

ASKED: list[tuple[str, Callable[[OmniClient], Any], Message, dict[str, str]]] = [
    (
        "Create",
        lambda omni: omni.resources.create("T", "a", {"x": 1}, labels={"l": ""}, annotations={"n": "v"}),
        resources.CreateRequest(
            resource=resources.Resource(
                metadata=cosi.Metadata(
                    namespace="default",
                    type="T",
                    id="a",
                    version="1",
                    phase="running",
                    labels={"l": ""},
                    annotations={"n": "v"},
                ),
                spec='{"x":1}',
            )
        ),
        {"runtime": "Omni"},
    ),
    (
        "List",
        lambda omni: omni.resources.list("T", "n", offset=5, limit=9, sort_by="id", descending=True, search=["s"]),
        resources.ListRequest(
            type="T", namespace="n", offset=5, limit=9, sort_by_field="id", sort_descending=True, search_for=["s"]
        ),
        {"runtime": "Omni"},
    ),
    (
        "Teardown",
        lambda omni: omni.resources.teardown("T", "a", "n"),
        resources.DeleteRequest(type="T", id="a", namespace="n"),
        {"runtime": "Omni"},
    ),
    (
        "Delete",
        lambda omni: omni.resources.delete("T", "a", "n"),
        resources.DeleteRequest(type="T", id="a", namespace="n"),
        {"runtime": "Omni"},
    ),
    (
        "Kubeconfig",
        lambda omni: omni.management.kubeconfig(
            "c1", service_account=True, ttl=timedelta(hours=1), user="u", groups=["g"], grant_type="auto"
        ),
        pb.KubeconfigRequest(
            service_account=True,
            service_account_ttl={"seconds": 3600},
            service_account_user="u",
            service_account_groups=["g"],
            grant_type="auto",
        ),
        {"context": "c1"},
    ),
    (
        "Talosconfig",
        lambda omni: omni.management.talosconfig("c1", raw=True, break_glass=True),
        pb.TalosconfigRequest(raw=True, break_glass=True),
        {"context": "c1"},
    ),
    (
        "ValidateConfig",
        lambda omni: omni.management.validate_config("machine: {}"),
        pb.ValidateConfigRequest(config="machine: {}"),
        {},
    ),
    (
        "CreateServiceAccount",
        lambda omni: omni.management.create_service_account("ci", "KEY", role="Reader"),
        pb.CreateServiceAccountRequest(name="ci", armored_pgp_public_key="KEY", role="Reader"),
        {},
    ),
    (
        "RenewServiceAccount",
        lambda omni: omni.management.renew_service_account("ci", "KEY"),
        pb.RenewServiceAccountRequest(name="ci", armored_pgp_public_key="KEY"),
        {},
    ),
    (
        "DestroyServiceAccount",
        lambda omni: omni.management.destroy_service_account("ci"),
        pb.DestroyServiceAccountRequest(name="ci"),
        {},
    ),
    (
        "CreateUser",
        lambda omni: omni.management.create_user("a@b.c", "Reader"),
        pb.CreateUserRequest(email="a@b.c", role="Reader"),
        {},
    ),
    (
        "UpdateUser",
        lambda omni: omni.management.update_user("a@b.c", "Admin"),
        pb.UpdateUserRequest(email="a@b.c", role="Admin"),
        {},
    ),
    ("DestroyUser", lambda omni: omni.management.destroy_user("a@b.c"), pb.DestroyUserRequest(email="a@b.c"), {}),
    (
        "KubernetesUpgradePreChecks",
        lambda omni: omni.management.kubernetes_upgrade_pre_checks("c1", "1.35.0"),
        pb.KubernetesUpgradePreChecksRequest(new_version="1.35.0"),
        {"context": "c1"},
    ),
    (
        "CreateSchematic",
        lambda omni: omni.management.create_schematic(
            talos_version="1.13.8",
            extensions=["siderolabs/iscsi-tools"],
            extra_kernel_args=["quiet"],
            meta_values={10: "x"},
            grpc_tunnel="ENABLED",
            overlay=Overlay("rpi", "image"),
            bootloader="GRUB",
        ),
        pb.CreateSchematicRequest(
            talos_version="1.13.8",
            extensions=["siderolabs/iscsi-tools"],
            extra_kernel_args=["quiet"],
            meta_values={10: "x"},
            siderolink_grpc_tunnel_mode=pb.CreateSchematicRequest.ENABLED,
            overlay=pb.CreateSchematicRequest.Overlay(name="rpi", image="image"),
            bootloader=pb.BOOT_GRUB,
        ),
        {},
    ),
    (
        "CreateSchematicFromRaw",
        lambda omni: omni.management.create_schematic_from_raw(b"customization: {}", talos_version="1.13.8"),
        pb.CreateSchematicFromRawRequest(raw_schematic=b"customization: {}", talos_version="1.13.8"),
        {},
    ),
    (
        "GetBootAssetURL",
        lambda omni: omni.management.boot_asset_url("s", "1.13.8", "ISO", architecture="amd64", secure_boot=True),
        pb.BootAssetURLRequest(
            schematic_id="s",
            talos_version="1.13.8",
            boot_asset_kind=pb.BootAssetURLRequest.BOOT_ASSET_KIND_ISO,
            architecture="amd64",
            secure_boot=True,
        ),
        {},
    ),
    (
        "MaintenanceUpgrade",
        lambda omni: omni.management.maintenance_upgrade("m1", "1.13.8"),
        pb.MaintenanceUpgradeRequest(machine_id="m1", version="1.13.8"),
        {},
    ),
    (
        "GetMachineJoinConfig",
        lambda omni: omni.management.machine_join_config(use_grpc_tunnel=True, join_token="t"),
        pb.GetMachineJoinConfigRequest(use_grpc_tunnel=True, join_token="t"),
        {},
    ),
    (
        "CreateJoinToken",
        lambda omni: omni.management.create_join_token("ci", expires=MOMENT),
        pb.CreateJoinTokenRequest(name="ci", expiration_time={"seconds": int(MOMENT.timestamp())}),
        {},
    ),
    (
        "ResetNodeUniqueToken",
        lambda omni: omni.management.reset_node_unique_token("m1"),
        pb.ResetNodeUniqueTokenRequest(id="m1"),
        {},
    ),
    (
        "MachinePowerOn",
        lambda omni: omni.management.machine_power_on("m1"),
        pb.MachinePowerOnRequest(machine_id="m1"),
        {},
    ),
    (
        "MachinePowerOff",
        lambda omni: omni.management.machine_power_off("m1"),
        pb.MachinePowerOffRequest(machine_id="m1"),
        {},
    ),
    (
        "Reboot",
        lambda omni: omni.machines.reboot("m1", mode="FORCE"),
        machine_pb2.RebootRequest(mode=machine_pb2.RebootRequest.FORCE),
        {"runtime": "Talos", "node": "m1"},
    ),
    (
        "Shutdown",
        lambda omni: omni.machines.shutdown("m1", cluster="c1", force=True),
        machine_pb2.ShutdownRequest(force=True),
        {"runtime": "Talos", "node": "m1", "cluster": "c1"},
    ),
    (
        "Reset",
        lambda omni: omni.machines.reset("m1", reboot=True, wipe_system_partitions=["STATE"], mode="SYSTEM_DISK"),
        machine_pb2.ResetRequest(
            graceful=True,
            reboot=True,
            system_partitions_to_wipe=[machine_pb2.ResetPartitionSpec(label="STATE", wipe=True)],
            mode=machine_pb2.ResetRequest.SYSTEM_DISK,
        ),
        {"runtime": "Talos", "node": "m1"},
    ),
    (
        "RegisterPublicKey",
        lambda omni: omni.auth.register_public_key("KEY", "a@b.c", role="Reader", skip_user_role=True),
        auth.RegisterPublicKeyRequest(
            public_key=auth.PublicKey(pgp_data=b"KEY"),
            identity=auth.Identity(email="a@b.c"),
            role="Reader",
            skip_user_role=True,
        ),
        {},
    ),
    (
        "ConfirmPublicKey",
        lambda omni: omni.auth.confirm_public_key("k", authorization="token"),
        auth.ConfirmPublicKeyRequest(public_key_id="k"),
        {"authorization": "token"},
    ),
    (
        "Authenticate",
        lambda omni: omni.oidc.authenticate("r"),
        oidc_pb2.AuthenticateRequest(auth_request_id="r"),
        {},
    ),
]


@pytest.mark.parametrize(("name", "call", "request_", "metadata"), ASKED, ids=[case[0] for case in ASKED])
def test_a_method_asks_for_just_what_it_was_told(
    client: OmniClient,
    scripted: ScriptedOmni,
    name: str,
    call: Callable[[OmniClient], Any],
    request_: Message,
    metadata: dict[str, str],
) -> None:
    call(client)
    (asked,) = scripted.asked
    ours = {key: value for key, value in asked.metadata if not key.startswith(("x-sidero-", "user-agent"))}
    assert asked.method.endswith(f"/{name}")
    assert (asked.request, ours) == (request_, metadata)


def test_no_rpc_is_without_a_test() -> None:
    """The table above asks all but the streams (test_client_streams) and the calls without much of a request."""
    asked = {case[0] for case in ASKED} | {"Get", "Update", "AwaitPublicKeyConfirmation", "RevokePublicKey"}
    asked |= {"Omniconfig", "ListServiceAccounts", "ListUsers", "ValidateJSONSchema", "Version"}
    assert {rpc.name.split("/")[1] for rpc in rpcs.ALL if rpc.name not in STREAMS} == asked
