"""Labels that Omni's controllers need and its validation does not ask for, and machines that cannot join a cluster.

In this process, over real gRPC to the simulator, whose controllers read the labels that Omni's do.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from omni_gateway.omni import OmniClient
from omni_gateway.omni import errors as omni_errors
from omni_gateway.simulator import kinds
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.simulator.machines.hardware import set_fields

from .conftest import Caller

PREFIX = "omni.sidero.dev/"
NODES = "MachineSetNodes.omni.sidero.dev"
EXTENSIONS = "ExtensionsConfigurations.omni.sidero.dev"
HEALTH_CHECKS = "KubernetesHealthChecks.omni.sidero.dev"
OLD_TALOS = "1.12.11"
JOB = "apiVersion: batch/v1\nkind: Job\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a}]}}}\n"


@dataclass(frozen=True)
class Place:
    """A cluster without machines, its sets, and a set of another cluster."""

    cluster: str
    planes: str
    workers: str
    elsewhere: str


def labels(**given: str) -> dict[str, str]:
    return {PREFIX + key.replace("_", "-"): value for key, value in given.items()}


@pytest.fixture(scope="module")
def place(omni: OmniClient) -> Iterator[Place]:
    names = [f"rel-{secrets.token_hex(3)}" for _ in range(2)]
    for name in names:
        versions = {"talos_version": "1.13.7", "kubernetes_version": "1.35.6"}
        omni.resources.create("Clusters.omni.sidero.dev", name, versions)
        for suffix, role in (("control-planes", "role_controlplane"), ("workers", "role_worker")):
            marks = labels(cluster=name, **{role: ""})
            omni.resources.create("MachineSets.omni.sidero.dev", f"{name}-{suffix}", {}, labels=marks)
    first, second = names
    yield Place(first, f"{first}-control-planes", f"{first}-workers", f"{second}-workers")
    for name in names:
        omni.resources.remove("Clusters.omni.sidero.dev", name)


@pytest.fixture
def free(omni: OmniClient, wait_until: Callable[..., Any]) -> Iterator[str]:
    """A free machine; whatever node names it is gone, and it is free again, when the test ends."""
    selector = f"{PREFIX}available,{PREFIX}connected"
    machine = str(
        omni.resources.list("MachineStatuses.omni.sidero.dev", selectors=[selector]).items[-1]["metadata"]["id"]
    )
    yield machine
    try:
        omni.resources.remove(NODES, machine)
    except omni_errors.NotFound:
        return

    def is_free() -> bool:
        status = omni.resources.get("MachineStatuses.omni.sidero.dev", machine)["metadata"]
        return f"{PREFIX}available" in status["labels"] and not present(omni, NODES, machine)

    wait_until(is_free, 30, "the machine to be free")


def present(omni: OmniClient, type: str, id: str) -> bool:
    try:
        omni.resources.get(type, id)
    except omni_errors.NotFound:
        return False
    return True


def document(id: str, **marks: str) -> dict[str, Any]:
    return {"metadata": {"type": NODES, "id": id, "labels": labels(**marks)}, "spec": {}}


WAYS: dict[str, Callable[[Caller, Place, str], Any]] = {
    "clustermachines": lambda api, at, id: api.post("clustermachines", json={"id": id, "machineset": at.workers}),
    "machinesetnodes": lambda api, at, id: api.post("machinesetnodes", json={"id": id, "machineset": at.workers}),
    "the set as a label": lambda api, at, id: api.post(
        "machinesetnodes", json={"id": id, "labels": labels(machine_set=at.workers)}
    ),
    "any type": lambda api, at, id: api.post(
        f"resources/{NODES}", json={"id": id, "labels": labels(cluster=at.cluster, machine_set=at.workers)}
    ),
    "apply": lambda api, at, id: api.post("apply", json=[document(id, cluster=at.cluster, machine_set=at.workers)]),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_machine_is_named_by_its_set_alone_and_gets_cluster_and_role(
    api: Caller, omni: OmniClient, place: Place, free: str, way: str, wait_until: Callable[..., Any]
) -> None:
    answer = WAYS[way](api, place, free)

    assert answer.status_code in (200, 201, 202), answer.text
    made = omni.resources.get(NODES, free)["metadata"]["labels"]
    assert made == labels(cluster=place.cluster, machine_set=place.workers, role_worker="")
    wait_until(lambda: present(omni, "ClusterMachines.omni.sidero.dev", free), what="the machine as a member")


def test_a_control_planes_machine_gets_that_role(api: Caller, place: Place, free: str) -> None:
    answer = api.post("machinesetnodes?dry_run=true", json={"id": free, "machineset": place.planes})

    assert answer.status_code == 200, answer.text
    shown = answer.json["labels"]
    assert shown == labels(cluster=place.cluster, machine_set=place.planes, role_controlplane="")


def test_an_apply_completes_nodes_of_sets_that_it_makes_itself(
    api: Caller, omni: OmniClient, place: Place, free: str
) -> None:
    name = f"{place.cluster}-more-{secrets.token_hex(2)}"
    marks = labels(cluster=place.cluster, role_worker="")
    machine_set = {"metadata": {"type": "MachineSets.omni.sidero.dev", "id": name, "labels": marks}, "spec": {}}
    node = document(free, cluster=place.cluster, machine_set=name)

    answer = api.post("apply", json=[machine_set, node])

    assert answer.status_code == 200, answer.text
    made = omni.resources.get(NODES, free)["metadata"]["labels"]
    assert made == labels(cluster=place.cluster, machine_set=name, role_worker="")
    again = api.post("apply", json=[machine_set, node]).json
    assert {item["action"] for item in again["results"]} == {"unchanged"}, again


def test_a_role_that_is_taken_off_comes_back(api: Caller, place: Place, free: str) -> None:
    assert api.post("machinesetnodes", json={"id": free, "machineset": place.workers}).status_code == 201

    answer = api.put(
        f"machinesetnodes/{free}",
        json={"id": free, "labels": labels(cluster=place.cluster, machine_set=place.workers) | {"team": "a"}},
    )

    assert answer.status_code == 200, answer.text
    assert answer.json["labels"][f"{PREFIX}role-worker"] == ""
    assert answer.json["labels"]["team"] == "a"


CONTRADICTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "field and label name two sets": (
        {"machineset": "{workers}", "labels": {f"{PREFIX}machine-set": "{planes}"}},
        "machineset",
    ),
    "the set is another cluster's": (
        {"labels": {f"{PREFIX}cluster": "{cluster}", f"{PREFIX}machine-set": "{elsewhere}"}},
        f"labels.{PREFIX}cluster",
    ),
    "the role is not the set's": (
        {"machineset": "{workers}", "labels": {f"{PREFIX}role-controlplane": ""}},
        f"labels.{PREFIX}role-controlplane",
    ),
    "there is no such set": ({"machineset": "{cluster}-none"}, "machineset"),
}


@pytest.mark.parametrize("collection", ["machinesetnodes", "clustermachines"])
@pytest.mark.parametrize("what", CONTRADICTIONS)
def test_labels_that_contradict_the_set_are_refused(
    api: Caller, omni: OmniClient, place: Place, free: str, what: str, collection: str
) -> None:
    body, field = CONTRADICTIONS[what]
    filled = _filled(body, place)
    if collection == "clustermachines" and "machineset" not in filled:
        filled["machineset"] = place.elsewhere

    answer = api.post(collection, json={"id": free, **filled})

    assert answer.status_code == 422, answer.text
    assert field in answer.json["errors"], answer.json
    assert not present(omni, NODES, free)


def _filled(value: Any, place: Place) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, place) for key, item in value.items()}
    return value.format(**vars(place))


@pytest.mark.parametrize(
    ("collection", "more"),
    [("extensions-configurations", {}), (f"resources/{EXTENSIONS}", {}), (f"resources/{HEALTH_CHECKS}", {"job": JOB})],
)
def test_what_names_a_set_gets_the_sets_cluster(
    api: Caller, place: Place, collection: str, more: dict[str, Any]
) -> None:
    id = f"rel-{secrets.token_hex(3)}"
    body = {"id": id, "labels": labels(machine_set=place.workers)}

    answer = api.post(f"{collection}?dry_run=true", json=body | ({"spec": more} if more else {}))

    assert answer.status_code == 200, answer.text
    assert answer.json["labels"] == labels(cluster=place.cluster, machine_set=place.workers)


@pytest.mark.parametrize("collection", ["extensions-configurations", f"resources/{EXTENSIONS}"])
@pytest.mark.parametrize(
    ("marks", "field"),
    [({}, "cluster"), ({"cluster": "{cluster}", "machine_set": "{elsewhere}"}, "machine-set")],
    ids=["no cluster", "a set of another cluster"],
)
def test_what_would_never_take_effect_is_refused(
    api: Caller, place: Place, collection: str, marks: dict[str, str], field: str
) -> None:
    body = {"id": f"rel-{secrets.token_hex(3)}", "labels": labels(**_filled(marks, place))}

    answer = api.post(collection, json=body)

    assert answer.status_code == 422, answer.text
    assert f"labels.{PREFIX}{field}" in answer.json["errors"], answer.json


@pytest.fixture
def uninstalled(
    simulator: RunningSimulator, omni: OmniClient, free: str, wait_until: Callable[..., Any]
) -> Iterator[str]:
    """A machine that runs an old Talos from its installation medium."""
    before = simulator.store.find(kinds.namespace_of(kinds.EMULATED_MACHINE), kinds.EMULATED_MACHINE, free)
    assert before is not None
    known = {name: before.spec.get(name) for name in ("talos_version", "installed")}
    set_fields(simulator.store, free, {"talos_version": OLD_TALOS, "installed": False})

    def shows() -> bool:
        spec = omni.resources.get("MachineStatuses.omni.sidero.dev", free)["spec"]
        return bool(spec["talos_version"] == f"v{OLD_TALOS}")

    wait_until(shows)
    yield free
    set_fields(simulator.store, free, known)


@pytest.mark.parametrize("query", ["", "?dry_run=true"], ids=["done", "dry run"])
@pytest.mark.parametrize("collection", ["clusters", "machinesetnodes", "clustermachines"])
def test_a_machine_that_is_not_installed_joins_no_cluster_of_another_minor(
    api: Caller, omni: OmniClient, place: Place, uninstalled: str, collection: str, query: str
) -> None:
    name = f"rel-{secrets.token_hex(3)}"
    body: dict[str, Any] = {"id": uninstalled, "machineset": place.workers}
    field = "id"
    if collection == "clusters":
        body = {"id": name, "talos_version": "1.13.7", "control_plane": {"machines": [uninstalled]}}
        field = "control_plane.machines.0"

    answer = api.post(f"{collection}{query}", json=body)

    assert answer.status_code == 422, answer.text
    assert "without being installed" in answer.json["errors"][field][0]
    assert not present(omni, NODES, uninstalled)
    assert not present(omni, "Clusters.omni.sidero.dev", name)


def test_a_machine_of_a_class_that_is_not_installed_does_not_count_for_another_minor(
    api: Caller, omni: OmniClient, uninstalled: str
) -> None:
    name = f"rel-{secrets.token_hex(3)}"
    entry = f"{PREFIX}talos-version = v{OLD_TALOS}"
    omni.resources.create("MachineClasses.omni.sidero.dev", name, {"match_labels": [entry]})
    body = {"id": name, "talos_version": "1.13.7", "control_plane": {"machine_class": name, "machine_count": 1}}

    answer = api.post("clusters?dry_run=true", json=body)

    omni.resources.remove("MachineClasses.omni.sidero.dev", name)
    assert answer.status_code == 422, answer.text
    assert "0 free machines" in answer.json["errors"]["control_plane.machine_count"][0]
