"""The rules of everything else that callers write."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import yaml

from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from tests.simulator.caller import LABEL, Caller, denied, exists, invalid, refused

CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\n").decode()
KEY = base64.b64encode(b"-----BEGIN EC PRIVATE KEY-----\n").decode()
BUNDLE: dict[str, Any] = {
    "cluster": {"id": "i", "secret": "s"},
    "secrets": {"bootstraptoken": "b", "secretboxencryptionsecret": "e"},
    "trustdinfo": {"token": "t"},
    "certs": {name: {"crt": CERTIFICATE, "key": KEY} for name in ("etcd", "k8s", "k8saggregator", "os")}
    | {"k8sserviceaccount": {"key": KEY}},
}
JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: check}\nspec: {template: {spec: {containers: []}}}\n"
GOOD: dict[str, list[dict[str, Any]]] = {
    "ConfigPatches": [
        {"data": "machine:\n  sysctls:\n    a: b\n"},
        {"data": '{"machine": {"sysctls": {"a": "b"}}}'},
        {"data": "machine: {}\n---\napiVersion: v1alpha1\nkind: EnvironmentConfig\nvariables:\n  A: b\n"},
    ],
    "KernelArgs": [{}, {"args": ["", "a b", "siderolink.api=x"]}, {"args": ["x" * 256] * 64}],
    "ExtensionsConfigurations": [{}],
    "MachineClasses": [{"match_labels": ["a = b, c in (d, e)", "x > 4"]}],
    "MachineInstallDiskConfigs": [{"disk": "/dev/sda"}, {"disk_selector": "disk.size > 10u"}],
    "InfraMachineConfigs": [{}, {"acceptance_status": "ACCEPTED"}],
    "InstallationMediaConfigs": [
        {"architecture": "AMD64"},
        {"architecture": "AMD64", "install_extensions": ["siderolabs/iscsi-tools"]},
        {"architecture": "AMD64", "talos_version": "1.12.11", "embedded_machine_config": "machine: {}"},
        {"architecture": "ARM64", "talos_version": "v1.13.7", "install_extensions": ["siderolabs/iscsi-tools"]},
    ],
    "EtcdBackupS3Configs": [{}],
    "SAMLLabelRules": [{"match_labels": ["a"], "assign_role": "Reader"}],
    "KubernetesHealthChecks": [{"job": JOB, "interval": "5s"}, {"job": JOB, "interval": "0s"}, {"job": "a: b"}],
    "RotateTalosCAs": [{}],
    "GRPCTunnelConfigs": [{"enabled": True}],
    "MachineLabels": [{}],
    "ImportedClusterSecrets": [{"data": yaml.safe_dump(BUNDLE)}],
}
BAD: dict[str, list[dict[str, Any]]] = {
    "ConfigPatches": [
        {},
        {"data": "a: [1"},
        {"data": "text"},
        {"data": "- op: add\n"},
        {"data": "colour: red"},
        {"data": "cluster:\n  clusterName: x\n"},
        {"data": "kind: Unheard\napiVersion: v1alpha1\n"},
    ],
    "KernelArgs": [{"args": ["x"] * 65}, {"args": ["x" * 257]}, {"args": ["two\nlines"]}],
    "ExtensionsConfigurations": [{"extensions": ["siderolabs/iscsi-tools"]}],
    "MachineClasses": [
        {},
        {"match_labels": ["a b c"]},
        {"match_labels": [f"{LABEL}no-manual-allocation"]},
        {"auto_provision": {}},
        {"auto_provision": {"provider_id": "nobody"}},
        {"match_labels": ["a"], "auto_provision": {"provider_id": "nobody"}},
    ],
    "MachineInstallDiskConfigs": [{}, {"disk": "/dev/sda", "disk_selector": "true"}],
    "InfraMachineConfigs": [{"requested_reboot_id": "x" * 129}, {"extra_kernel_args": "two\nlines"}],
    "InstallationMediaConfigs": [
        {},
        {"architecture": "AMD64", "cloud": {"platform": "aws"}, "sbc": {"overlay": "rpi_generic"}},
        {"architecture": "AMD64", "cloud": {}},
        {"architecture": "AMD64", "sbc": {"overlay": "toaster"}},
        {"architecture": "AMD64", "talos_version": "1.99.0"},
        {"architecture": "AMD64", "talos_version": "1.13.7", "install_extensions": ["unheard"]},
        {"architecture": "AMD64", "image_factory_url": "https://example.org"},
        {"architecture": "AMD64", "kernel_args": "x" * 4097},
        {"architecture": "AMD64", "kernel_args": "two\nlines"},
        {"architecture": "AMD64", "talos_version": "1.11.6", "embedded_machine_config": "machine: {}"},
    ],
    "EtcdBackupS3Configs": [{"bucket": "b"}],
    "EtcdManualBackups": [{}],
    "AccessPolicies": [{}],
    "SAMLLabelRules": [{}, {"assign_role": "Auditor"}, {"match_labels": ["a b c"], "assign_role": "Reader"}],
    "KubernetesHealthChecks": [{}, {"job": JOB, "interval": "4s"}, {"job": "x"}, {"job": "metadata: x"}],
    "KubernetesManifestGroups": [{}, {"mode": "FULL", "data": "text"}, {"mode": "FULL", "data": "a: b"}],
    "MachineRequestSets": [{}, {"provider_id": "nobody", "talos_version": "1.13.7"}],
    "NodeForceDestroyRequests": [{}],
    "ImportedClusterSecrets": [
        {},
        {"data": "text"},
        {"data": "a: b"},
        {"data": "cluster: {}\nsecrets: {}\ncerts: {}\n"},
        *({"data": yaml.safe_dump({k: v for k, v in BUNDLE.items() if k != missing})} for missing in BUNDLE),
        {"data": yaml.safe_dump(BUNDLE | {"certs": BUNDLE["certs"] | {"os": {"crt": "YQ==", "key": KEY}}})},
        {"data": yaml.safe_dump(BUNDLE | {"secrets": BUNDLE["secrets"] | {"aescbcencryptionsecret": "e"}})},
    ],
}


@pytest.mark.parametrize(("type_", "spec"), [(type_, spec) for type_, specs in GOOD.items() for spec in specs])
def test_specs_that_are_accepted(admin: Caller, type_: str, spec: dict[str, Any]) -> None:
    admin.create(type_, str(uuid.uuid4()), spec)


@pytest.mark.parametrize(("type_", "spec"), [(type_, spec) for type_, specs in BAD.items() for spec in specs])
def test_specs_that_are_refused(admin: Caller, type_: str, spec: dict[str, Any]) -> None:
    with invalid():
        admin.create(type_, "bad", spec)


@pytest.fixture
def cluster(admin: Caller, name: str) -> str:
    admin.create("Clusters", name, {"talos_version": "1.13.7", "kubernetes_version": "1.35.6"})
    return name


# -- extensions


def test_extensions_are_those_of_the_clusters_talos(admin: Caller, cluster: str) -> None:
    labels = {f"{LABEL}cluster": cluster}
    admin.create("ExtensionsConfigurations", cluster, {"extensions": ["iscsi-tools", "siderolabs/zfs"]}, labels=labels)

    for names in (["unheard"], ["iscsi-tools", "siderolabs/iscsi-tools"], ["iscsi-tools"] * 257):
        with invalid():
            admin.change("ExtensionsConfigurations", cluster, extensions=names)
    with invalid("no cluster"):
        admin.create("ExtensionsConfigurations", "x", {"extensions": ["zfs"]}, labels={f"{LABEL}cluster": "nowhere"})


# -- patches


def test_a_patch_is_checked_again_only_when_its_content_changes(admin: Caller, store: Store, name: str) -> None:
    old = Resource("default", "ConfigPatches.omni.sidero.dev", name, {"data": "from: before this rule"})
    store.create(old)

    read = admin.get("ConfigPatches", name)
    read["metadata"]["labels"] = {"a": "b"}
    admin.update(read)

    with invalid():
        admin.change("ConfigPatches", name, data="still: wrong")


def test_a_patch_may_name_a_cluster_that_there_is_not(admin: Caller, name: str) -> None:
    labels = {f"{LABEL}cluster": "nowhere", f"{LABEL}system-patch": ""}

    admin.create("ConfigPatches", name, {"data": "machine: {}"}, labels=labels)


# -- machines


def test_an_accepted_machine_stays_accepted_and_goes_by_its_link(admin: Caller, store: Store) -> None:
    machine = store.view("default", "Links.omni.sidero.dev")[-1].id
    admin.create("InfraMachineConfigs", machine, {"acceptance_status": 1})
    with invalid("stays accepted"):
        admin.change("InfraMachineConfigs", machine, acceptance_status=2)
    with invalid("linked"):
        admin.teardown("InfraMachineConfigs", machine)


def test_a_rejected_machine_may_still_be_accepted(admin: Caller) -> None:
    machine = str(uuid.uuid4())
    admin.create("InfraMachineConfigs", machine, {"acceptance_status": "REJECTED"})

    admin.change("InfraMachineConfigs", machine, acceptance_status="ACCEPTED")


def test_a_removal_is_forced_for_machines_of_a_cluster_only(admin: Caller, store: Store) -> None:
    machine = str(uuid.uuid4())
    with invalid("in no cluster"):
        admin.create("NodeForceDestroyRequests", machine)
    store.create(Resource("default", "ClusterMachines.omni.sidero.dev", machine))

    admin.create("NodeForceDestroyRequests", machine)


@pytest.mark.parametrize("type_", ["Links", "Machines", "MachineStatuses"])
def test_nobody_makes_a_machine(admin: Caller, type_: str) -> None:
    with denied():
        admin.create(type_, str(uuid.uuid4()))


# -- classes and providers


def test_a_class_in_use_stays(admin: Caller, cluster: str) -> None:
    admin.create("MachineClasses", cluster, {"match_labels": ["a"]})
    labels = {f"{LABEL}cluster": cluster, f"{LABEL}role-worker": ""}
    admin.create("MachineSets", f"{cluster}-w", {"machine_allocation": {"name": cluster}}, labels=labels)
    with invalid(f"{cluster}-w"):
        admin.teardown("MachineClasses", cluster)

    admin.change("MachineClasses", cluster, match_labels=["b"])


def test_a_class_that_turns_into_the_other_kind_breaks_omnis_handler(admin: Caller, name: str) -> None:
    admin.create("MachineClasses", name, {"match_labels": ["a"]})
    with refused(grpc.StatusCode.INTERNAL):
        admin.change("MachineClasses", name, match_labels=[], auto_provision={"provider_id": "nobody"})


def test_machines_are_asked_of_providers_that_make_them(admin: Caller, store: Store, name: str) -> None:
    for provider, labels in ((name, {}), (f"{name}-static", {f"{LABEL}is-static-infra-provider": ""})):
        store.create(Resource("infra-provider", "InfraProviderStatuses.omni.sidero.dev", provider, labels=dict(labels)))
    wanted = {"provider_id": name, "talos_version": "1.13.7", "machine_count": 2, "extensions": ["zfs"]}
    admin.create("MachineRequestSets", name, wanted)
    admin.create("MachineClasses", f"{name}-auto", {"auto_provision": {"provider_id": name}})

    with invalid("has the machines that it has"):
        admin.create("MachineRequestSets", f"{name}-s", {**wanted, "provider_id": f"{name}-static"})
    with invalid("Talos version"):
        admin.change("MachineRequestSets", name, talos_version="")
    admin.change("MachineRequestSets", name, machine_count=-1, provider_id="nobody")


@pytest.mark.parametrize("id_", ["UPPER", "a_b", "-a", "a" * 64])
def test_a_providers_name_is_a_dns_label(admin: Caller, id_: str) -> None:
    with invalid():
        admin.create("InfraProviders", id_, namespace="infra-provider")


# -- backups


@pytest.mark.parametrize(("seconds", "accepted"), [(0, True), (-50, True), (-300, False), (300, False)])
def test_a_backup_is_asked_for_now(admin: Caller, name: str, seconds: int, accepted: bool) -> None:
    spec = {"backup_at": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()}
    if accepted:
        admin.create("EtcdManualBackups", name, spec, namespace="ephemeral")
        with exists():
            admin.create("EtcdManualBackups", name, spec, namespace="ephemeral")
        admin.update(admin.get("EtcdManualBackups", name, namespace="ephemeral"))
    else:
        with invalid("within 60 seconds"):
            admin.create("EtcdManualBackups", name, spec, namespace="ephemeral")


# -- tokens


@pytest.fixture
def token(store: Store, name: str) -> str:
    store.create(Resource("default", "JoinTokens.omni.sidero.dev", name, {"name": "mine"}))
    return name


def test_a_tokens_name_has_no_control_characters(admin: Caller, token: str) -> None:
    with invalid("control"):
        admin.change("JoinTokens", token, name="a\x01b")


@pytest.mark.parametrize("text", ["", "x" * 17])
def test_a_tokens_name_is_short(admin: Caller, token: str, text: str) -> None:
    with invalid("16 bytes"):
        admin.change("JoinTokens", token, name=text)


def test_a_token_is_revoked_and_back(operator: Caller, token: str) -> None:
    operator.change("JoinTokens", token, revoked=True)
    operator.change("JoinTokens", token, revoked=False)


def test_there_is_always_a_default_token(admin: Caller, token: str) -> None:
    with invalid("exists"):
        admin.change("DefaultJoinTokens", "default", token_id="nothing")
    before = admin.get("DefaultJoinTokens", "default")["spec"]["token_id"]
    admin.change("DefaultJoinTokens", "default", token_id=token)

    with invalid("default"):
        admin.teardown("JoinTokens", token)
    with invalid("always"):
        admin.teardown("DefaultJoinTokens", "default")
    admin.change("DefaultJoinTokens", "default", token_id=before)
    admin.teardown("JoinTokens", token)


# -- policies, manifests, secrets


def test_there_is_one_access_policy_and_its_rules_give_four_roles(admin: Caller) -> None:
    with invalid("Auditor"):
        admin.create("AccessPolicies", "access-policy", {"rules": [{"users": ["a"], "role": "Auditor"}]})

    admin.create("AccessPolicies", "access-policy", {"rules": [{"users": ["a"], "role": "Operator"}, {"users": ["b"]}]})


def test_a_provider_with_machines_stays(admin: Caller, store: Store, name: str) -> None:
    admin.create("InfraProviders", name, namespace="infra-provider")
    machine = Resource("default", "Machines.omni.sidero.dev", name, labels={f"{LABEL}infra-provider-id": name})
    store.create(machine)

    with invalid("1 machines"):
        admin.teardown("InfraProviders", name, "infra-provider")
    store.destroy(*machine.key, owner="")
    admin.teardown("InfraProviders", name, "infra-provider")


def test_manifests_belong_to_a_cluster_and_have_a_kind(admin: Caller, name: str) -> None:
    spec = {"mode": "ONE_TIME", "data": "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n"}
    with invalid("cluster is missing"):
        admin.create("KubernetesManifestGroups", name, spec)
    labels = {f"{LABEL}cluster": "c"}
    with invalid("Omni's own"):
        admin.create("KubernetesManifestGroups", name, spec, labels=labels | {f"{LABEL}system-manifest": ""})

    admin.create("KubernetesManifestGroups", name, spec, labels=labels)
    admin.create("KubernetesManifestGroups", f"{name}-empty", {"mode": "FULL"}, labels=labels)


def test_a_rotation_under_way_is_left_alone(admin: Caller, store: Store, name: str) -> None:
    admin.create("RotateTalosCAs", name, finalizers=["Holder"])
    admin.change("RotateTalosCAs", name)
    store.create(
        Resource("default", "ClusterSecretsRotationStatuses.omni.sidero.dev", name, {"phase": 2, "component": 1})
    )
    with invalid("under way"):
        admin.change("RotateTalosCAs", name)
    with invalid("under way"):
        admin.teardown("RotateTalosCAs", name)


def test_secrets_are_imported_for_a_cluster_that_is_yet_to_come_and_never_read(admin: Caller, cluster: str) -> None:
    bundle = {"data": yaml.safe_dump(BUNDLE)}
    with invalid("already exists"):
        admin.create("ImportedClusterSecrets", cluster, bundle)
    admin.create("ImportedClusterSecrets", f"{cluster}-next", bundle)
    with denied():
        admin.get("ImportedClusterSecrets", f"{cluster}-next")
