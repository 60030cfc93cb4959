"""Labels that Omni's controllers read and its validation does not ask for: who is found by which of them.

What a label that is missing or wrong leads to is the same for ever, so these cases compare with an object beside it
that has all labels, and look when that one has arrived.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.conformance.outcomes import INVALID, OK, SINCE_1_10, cases, expect, holds, same
from tests.conformance.versions import numbers
from tests.conformance.world import World
from tests.fitting import fits
from tests.simulator.caller import LABEL

SECONDS = 120.0
MACHINES = 3
KEY = "conformance.relation"


@dataclass(frozen=True)
class Members:
    """A cluster of a control plane and two workers, all of them configured."""

    cluster: str
    planes_set: str
    workers_set: str
    plane: str
    worker: str
    other: str


def _cluster(world: World, versions: dict[str, str]) -> str:
    features = {"use_embedded_discovery_service": bool(world.server.features.get("embedded_discovery_service"))}
    return world.cluster(versions | {"features": features})


@pytest.fixture(scope="module")
def members(shared: World) -> Iterator[Members]:
    versions, (plane, worker, other) = shared.server.joinable(MACHINES)
    cluster = _cluster(shared, versions)
    planes_set, workers_set = shared.machine_set(cluster, "control-planes"), shared.machine_set(cluster)
    for machine, machine_set in ((plane, planes_set), (worker, workers_set), (other, workers_set)):
        shared.node(cluster, machine_set, machine)
    for machine in (plane, worker, other):
        shared.until(
            lambda machine=machine: shared.there("RedactedClusterMachineConfigs", machine), "configured", SECONDS
        )
    yield Members(cluster, planes_set, workers_set, plane, worker, other)


def _labels(**given: str) -> dict[str, str]:
    return {LABEL + key.replace("_", "-"): value for key, value in given.items()}


# -- machine set nodes


@pytest.mark.needs_machines(2)
def test_with_machines_a_node_without_its_role_is_never_taken_until_it_has_it(omni: World) -> None:
    versions, (lost, taken) = omni.server.joinable(2)
    cluster = _cluster(omni, versions)
    workers = omni.machine_set(cluster)
    omni.admin.create("MachineSetNodes", lost, labels=_labels(cluster=cluster, machine_set=workers))
    omni.node(cluster, workers, taken)

    omni.until(lambda: omni.there("ClusterMachines", taken), "the one with a role becomes a member", SECONDS)

    same(None, omni.there("ClusterMachines", lost))
    holds(
        LABEL + "available" in omni.admin.get("MachineStatuses", lost)["metadata"]["labels"],
        "the one without a role is shown as free",
        omni.admin.get("MachineStatuses", lost)["metadata"]["labels"],
    )
    status = omni.admin.get("MachineSetStatuses", workers)["spec"]
    same((2, None), (status["machines"].get("requested"), status.get("ready")))
    omni.write("MachineSetNodes", lost, lambda read: read["metadata"]["labels"].update(_labels(role_worker="")))
    omni.until(lambda: omni.there("ClusterMachines", lost), "with its role it becomes a member", SECONDS)


@pytest.mark.needs_machines(2)
def test_with_machines_a_node_that_names_another_cluster_gets_no_configuration(omni: World) -> None:
    versions, (lost, taken) = omni.server.joinable(2)
    cluster, elsewhere = _cluster(omni, versions), _cluster(omni, versions)
    planes = omni.machine_set(cluster, "control-planes")
    omni.admin.create(
        "MachineSetNodes", lost, labels=_labels(cluster=elsewhere, machine_set=planes, role_controlplane="")
    )
    omni.node(cluster, planes, taken)

    omni.until(lambda: omni.there("RedactedClusterMachineConfigs", taken), "the other one is configured", SECONDS)

    same(cluster, omni.admin.get("ClusterMachines", lost)["metadata"]["labels"][LABEL + "cluster"])
    same(None, omni.there("RedactedClusterMachineConfigs", lost))


@pytest.mark.needs_machines
@pytest.mark.parametrize(
    "step", cases("with-machines the minor of a machine", [(s, s) for s in ("own", "later", "earlier")])
)
def test_a_machine_that_is_not_installed_joins_the_minors_that_its_omni_lets_it(omni: World, step: str) -> None:
    status = omni.admin.get("MachineStatuses", omni.server.free_machines()[0])
    runs = numbers(status["spec"]["talos_version"])[:2]
    known = sorted(omni.versions.compatible, key=numbers, reverse=True)
    wanted_minor = {"own": runs.__eq__, "later": runs.__lt__, "earlier": runs.__gt__}[step]
    talos = next((version for version in known if wanted_minor(numbers(version)[:2])), None)
    if talos is None:
        pytest.skip(f"this Omni knows no Talos of a minor {step} than {runs}")
    kubernetes = max(omni.versions.compatible[talos], key=numbers)
    cluster = omni.cluster({"talos_version": talos, "kubernetes_version": kubernetes})
    workers = omni.machine_set(cluster)

    wanted = OK if fits(status, talos, omni.server.backend) else INVALID
    expect(wanted, lambda: omni.node(cluster, workers, status["metadata"]["id"]))


# -- config patches: whose configuration has which


def _patched(omni: World, machine: str, key: str) -> bool:
    found = omni.there("RedactedClusterMachineConfigs", machine)
    return found is not None and f"{key}:" in str(found["spec"].get("data", ""))


PATCHES: list[tuple[str, dict[str, str], set[str]]] = [
    ("the cluster", {"cluster": "{cluster}"}, {"plane", "worker", "other"}),
    ("the set", {"cluster": "{cluster}", "machine_set": "{workers_set}"}, {"worker", "other"}),
    ("the set, without the cluster", {"machine_set": "{workers_set}"}, set()),
    ("the set, with another cluster", {"cluster": "nowhere", "machine_set": "{workers_set}"}, set()),
    ("a member", {"cluster": "{cluster}", "cluster_machine": "{worker}"}, {"worker"}),
    ("a member, without the cluster", {"cluster_machine": "{worker}"}, set()),
    (
        "a set and a member of it: the whole set",
        {"cluster": "{cluster}", "machine_set": "{workers_set}", "cluster_machine": "{worker}"},
        {"worker", "other"},
    ),
    (
        "a set and a member of another: both",
        {"cluster": "{cluster}", "machine_set": "{workers_set}", "cluster_machine": "{plane}"},
        {"plane", "worker", "other"},
    ),
    ("a machine", {"machine": "{worker}"}, {"worker"}),
    ("a machine, with another cluster", {"cluster": "nowhere", "machine": "{worker}"}, {"worker"}),
    (
        "a machine, with a set of others",
        {"cluster": "{cluster}", "machine_set": "{workers_set}", "machine": "{plane}"},
        {"plane"},
    ),
]


@pytest.mark.needs_machines(MACHINES)
@pytest.mark.parametrize(("labels", "wanted"), cases("cluster-side 6 a patch applies to", PATCHES))
def test_a_patch_applies_by_its_labels(omni: World, members: Members, labels: dict[str, str], wanted: set[str]) -> None:
    name, last = omni.name(), omni.name()
    made = {key: value.format(**vars(members)) for key, value in _labels(**labels).items()}
    data = 'machine:\n  sysctls:\n    {}.{}: "1"\n'
    omni.admin.create("ConfigPatches", name, {"data": data.format(KEY, name)}, labels=made)
    omni.admin.create("ConfigPatches", last, {"data": data.format(KEY, last)}, labels=_labels(cluster=members.cluster))

    for who in ("plane", "worker", "other"):
        machine = getattr(members, who)
        omni.until(lambda machine=machine: _patched(omni, machine, f"{KEY}.{last}"), "a later patch applies", SECONDS)

    def found() -> set[str]:
        return {who for who in ("plane", "worker", "other") if _patched(omni, getattr(members, who), f"{KEY}.{name}")}

    omni.until(lambda: found() == wanted, f"the patch applies to {sorted(wanted)}", SECONDS)


# -- extensions configurations: accepted without the cluster, and then for no machine

NO_CLUSTER: list[tuple[str, dict[str, str]]] = [
    ("no labels", {}),
    ("a set without its cluster", {"machine_set": "nowhere-workers"}),
]


@pytest.mark.parametrize("labels", cases("cluster-side 7 labels", NO_CLUSTER))
def test_an_empty_extensions_configuration_needs_no_cluster(omni: World, labels: dict[str, str]) -> None:
    expect(OK, lambda: omni.admin.create("ExtensionsConfigurations", omni.name(), {}, labels=_labels(**labels)))


@SINCE_1_10
def test_a_health_check_needs_no_cluster(omni: World) -> None:
    job = "apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}\n"
    expect(OK, lambda: omni.admin.create("KubernetesHealthChecks", omni.name(), {"job": job}))


@pytest.mark.needs_machines(MACHINES)
def test_the_most_specific_extensions_configuration_of_the_cluster_wins(omni: World, members: Members) -> None:
    def configure(**labels: str) -> str:
        name = omni.name()
        omni.admin.create("ExtensionsConfigurations", name, {}, labels=_labels(**labels))
        return name

    def source(machine: str) -> str | None:
        found = omni.there("MachineExtensions", machine)
        return found["metadata"]["labels"].get(LABEL + "cluster") if found else None

    configure(machine_set=members.workers_set)
    configure(cluster=members.cluster, cluster_machine=members.worker)

    omni.until(lambda: source(members.worker) == members.cluster, "the member's own", SECONDS)
    same(None, source(members.other))
