"""Rules that no conformance case states: a real Omni was not seen at them, or no caller can bring about their case."""

from __future__ import annotations

import base64
import uuid
from contextlib import nullcontext
from typing import Any

import pytest
import yaml

from omni_gateway.simulator.identity.caller import ANONYMOUS
from omni_gateway.simulator.rules import RuleContext, clusters, machinesetnodes, machinesets
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from tests.simulator.caller import LABEL, Caller, invalid

SPEC = {"talos_version": "1.13.7", "kubernetes_version": "1.35.6"}
CONTROL_PLANE, WORKER = f"{LABEL}role-controlplane", f"{LABEL}role-worker"
CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\n").decode()
KEY = base64.b64encode(b"-----BEGIN EC PRIVATE KEY-----\n").decode()
BUNDLE: dict[str, Any] = {
    "cluster": {"id": "i", "secret": "s"},
    "secrets": {"bootstraptoken": "b", "secretboxencryptionsecret": "e"},
    "trustdinfo": {"token": "t"},
    "certs": {name: {"crt": CERTIFICATE, "key": KEY} for name in ("etcd", "k8s", "k8saggregator", "os")}
    | {"k8sserviceaccount": {"key": KEY}},
}


@pytest.fixture
def cluster(admin: Caller, name: str) -> str:
    admin.create("Clusters", name, SPEC)
    return name


@pytest.fixture
def workers(admin: Caller, cluster: str) -> str:
    admin.create("MachineSets", f"{cluster}-workers", labels=of(cluster, WORKER))
    return f"{cluster}-workers"


@pytest.fixture
def machine() -> str:
    """The id of a machine that has never been seen: nodes may be made for it all the same."""
    return str(uuid.uuid4())


def of(cluster: str, *more: str) -> dict[str, str]:
    return {f"{LABEL}cluster": cluster, **dict.fromkeys(more, "")}


def node_of(cluster: str, machine_set: str) -> dict[str, str]:
    return {f"{LABEL}cluster": cluster, f"{LABEL}machine-set": machine_set}


# -- clusters and machine sets


def test_an_upgrade_under_way_may_be_taken_back_a_minor(store: Store, name: str) -> None:
    rules = RuleContext(store, ANONYMOUS)
    status = Resource("default", "KubernetesUpgradeStatuses.omni.sidero.dev", name)
    status.spec = {"last_upgrade_version": "1.35.6", "current_upgrade_version": "1.36.1"}
    store.create(status)
    now = Resource("default", clusters.TYPE, name, {**SPEC, "kubernetes_version": "1.36.1"})
    back = Resource("default", clusters.TYPE, name, dict(SPEC))

    assert list(clusters.update(rules, now, back)) == []
    store.destroy(*status.key)
    assert list(clusters.update(rules, now, back)) != []


@pytest.mark.parametrize(
    "changed", [{"kubernetes_version": "1.35.99"}, {"features": {"disable_public_discovery_service": True}}]
)
def test_a_change_of_a_cluster_is_checked(admin: Caller, cluster: str, changed: dict[str, Any]) -> None:
    with invalid():
        admin.change("Clusters", cluster, **changed)


def test_a_set_with_nodes_stays_manual(admin: Caller, cluster: str, workers: str, machine: str) -> None:
    admin.create("MachineClasses", cluster, {"match_labels": [f"{LABEL}arch = amd64"]})
    admin.change("MachineSets", workers, machine_allocation={"name": cluster})
    admin.change("MachineSets", workers, machine_allocation=None)
    admin.create("MachineSetNodes", machine, labels=node_of(cluster, workers))
    with invalid("manual"):
        admin.change("MachineSets", workers, machine_allocation={"name": cluster})


def test_a_bootstrapped_control_plane_is_not_made_again(store: Store, name: str) -> None:
    status = Resource("default", "ClusterBootstrapStatuses.omni.sidero.dev", name, {"bootstrapped": True})
    store.create(status)
    wanted = Resource("default", machinesets.TYPE, f"{name}-control-planes", labels=of(name, CONTROL_PLANE))

    problems = list(machinesets.create(RuleContext(store, ANONYMOUS), wanted))

    assert any("bootstrapped" in problem for problem in problems)


def test_a_control_plane_starts_from_a_clusters_own_backup(
    admin: Caller, store: Store, cluster: str, wait_until
) -> None:
    known = wait_until(lambda: store.find("default", "ClusterUUIDs.omni.sidero.dev", cluster))
    labels = {f"{LABEL}cluster": cluster, f"{LABEL}cluster-uuid": known.spec["uuid"]}
    store.create(Resource("external", "EtcdBackups.omni.sidero.dev", f"{cluster}-1", {"snapshot": "s"}, labels))
    bootstrap = {"cluster_uuid": known.spec["uuid"], "snapshot": "s"}

    admin.create(
        "MachineSets", f"{cluster}-control-planes", {"bootstrap_spec": bootstrap}, labels=of(cluster, CONTROL_PLANE)
    )


# -- nodes


@pytest.mark.parametrize(
    ("runs", "marks", "agent", "fits"),
    [
        ("v1.12.11", {}, False, False),
        ("v1.12.11", {}, True, True),
        ("v1.12.11", {"installed": ""}, False, True),
        ("v1.13.8", {}, False, True),
        ("unknown", {}, False, True),
    ],
)
def test_a_machine_without_talos_on_its_disk_keeps_its_minor_before_1_13(
    admin: Caller,
    store: Store,
    cluster: str,
    workers: str,
    machine: str,
    runs: str,
    marks: dict[str, str],
    agent: bool,
    fits: bool,
) -> None:
    spec = {"talos_version": runs, "schematic": {"in_agent_mode": agent}}
    labels = {f"{LABEL}{key}": value for key, value in ({"talos-version": runs} | marks).items()}
    store.create(Resource("default", "MachineStatuses.omni.sidero.dev", machine, spec, labels))

    with nullcontext() if fits else invalid("without being installed"):
        admin.create("MachineSetNodes", machine, labels=node_of(cluster, workers))


def test_a_node_of_a_set_that_goes_is_not_changed_but_removed() -> None:
    store = Store()
    store.create(Resource("default", "Clusters.omni.sidero.dev", "c"))
    going = Resource("default", machinesets.TYPE, "c-workers", labels=of("c", WORKER), finalizers=["Holder"])
    store.teardown(*store.create(going).key, owner="")
    lock = {f"{LABEL}locked": ""}
    node = Resource("default", machinesetnodes.TYPE, "m", labels=node_of("c", "c-workers"), annotations=lock)
    ctx = RuleContext(store, ANONYMOUS)

    changed, removed = list(machinesetnodes.update(ctx, node, node)), list(machinesetnodes.destroy(ctx, node))

    assert (changed, removed) == (["the machine set 'c-workers' is being removed"], [])


# -- machines


def test_an_accepted_machine_goes_by_its_link(admin: Caller, store: Store) -> None:
    machine = store.view("default", "Links.omni.sidero.dev")[-1].id
    admin.create("InfraMachineConfigs", machine, {"acceptance_status": 1})
    with invalid("linked"):
        admin.teardown("InfraMachineConfigs", machine)


def test_a_machine_of_a_cluster_is_removed_by_force(admin: Caller, store: Store, machine: str) -> None:
    store.create(Resource("default", "ClusterMachines.omni.sidero.dev", machine))

    admin.create("NodeForceDestroyRequests", machine)


def test_changed_extensions_are_checked(admin: Caller, cluster: str) -> None:
    admin.create("ExtensionsConfigurations", cluster, {"extensions": ["zfs"]}, labels=of(cluster))

    with invalid("unheard"):
        admin.change("ExtensionsConfigurations", cluster, extensions=["unheard"])


# -- providers


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


@pytest.mark.parametrize("id_", ["-a", "a" * 64])
def test_a_providers_name_is_a_dns_label(admin: Caller, id_: str) -> None:
    with invalid():
        admin.create("InfraProviders", id_, namespace="infra-provider")


def test_a_provider_with_machines_stays(admin: Caller, store: Store, name: str) -> None:
    admin.create("InfraProviders", name, namespace="infra-provider")
    machine = Resource("default", "Machines.omni.sidero.dev", name, labels={f"{LABEL}infra-provider-id": name})
    store.create(machine)

    with invalid("1 machines"):
        admin.teardown("InfraProviders", name, "infra-provider")
    store.destroy(*machine.key, owner="")
    admin.teardown("InfraProviders", name, "infra-provider")


# -- patches, media, manifests, tokens


def test_a_patch_is_checked_again_only_when_its_content_changes(admin: Caller, store: Store, name: str) -> None:
    old = Resource("default", "ConfigPatches.omni.sidero.dev", name, {"data": "from: before this rule"})
    store.create(old)

    read = admin.get("ConfigPatches", name)
    read["metadata"]["labels"] = {"a": "b"}
    admin.update(read)

    with invalid():
        admin.change("ConfigPatches", name, data="still: wrong")


@pytest.mark.parametrize(
    ("type_", "spec"),
    [
        ("InstallationMediaConfigs", {"architecture": "AMD64", "kernel_args": "x" * 4097}),
        (
            "InstallationMediaConfigs",
            {"architecture": "AMD64", "talos_version": "1.11.6", "embedded_machine_config": "machine: {}"},
        ),
        ("EtcdBackupS3Configs", {"bucket": "b"}),
    ],
)
def test_specs_that_are_refused(admin: Caller, type_: str, spec: dict[str, Any]) -> None:
    with invalid():
        admin.create(type_, "bad", spec)


@pytest.mark.parametrize(
    ("type_", "spec"),
    [
        (
            "InstallationMediaConfigs",
            {"architecture": "AMD64", "talos_version": "1.12.11", "embedded_machine_config": "machine: {}"},
        ),
        ("KubernetesHealthChecks", {"job": "a: b"}),
    ],
)
def test_specs_that_are_accepted(admin: Caller, name: str, type_: str, spec: dict[str, Any]) -> None:
    admin.create(type_, name, spec)


def test_a_tokens_name_has_no_control_characters(admin: Caller, store: Store, name: str) -> None:
    store.create(Resource("default", "JoinTokens.omni.sidero.dev", name, {"name": "mine"}))
    with invalid("control"):
        admin.change("JoinTokens", name, name="a\x01b")


# -- rotation and import of secrets


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


def test_secrets_are_imported_for_a_cluster_that_is_yet_to_come(admin: Caller, cluster: str) -> None:
    bundle = {"data": yaml.safe_dump(BUNDLE)}
    with invalid("already exists"):
        admin.create("ImportedClusterSecrets", cluster, bundle)

    admin.create("ImportedClusterSecrets", f"{cluster}-next", bundle)


@pytest.mark.parametrize(
    "bundle",
    [
        *({key: value for key, value in BUNDLE.items() if key != missing} for missing in BUNDLE),
        BUNDLE | {"certs": BUNDLE["certs"] | {"os": {"crt": "YQ==", "key": KEY}}},
        BUNDLE | {"secrets": BUNDLE["secrets"] | {"aescbcencryptionsecret": "e"}},
    ],
    ids=[*(f"no {key}" for key in BUNDLE), "no certificate", "two encryption secrets"],
)
def test_a_bundle_of_secrets_is_whole(admin: Caller, name: str, bundle: dict[str, Any]) -> None:
    with invalid():
        admin.create("ImportedClusterSecrets", name, {"data": yaml.safe_dump(bundle)})
