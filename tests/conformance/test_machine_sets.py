"""MachineSets, MachineSetNodes, ClusterMachines (cluster-side §3, §4, §5, §16 p4, p5)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.outcomes import DENIED, EXISTS, INVALID, MISSING, OK, SINCE_1_10, cases, expect, same
from tests.conformance.world import World
from tests.simulator.caller import LABEL, never_made

WORKER = {"role-worker": ""}
CONTROL_PLANE = {"role-controlplane": ""}


def _labels(c: str, /, **given: str) -> dict[str, str]:
    return {LABEL + key.replace("_", "-"): value.format(c=c) for key, value in given.items()}


@pytest.fixture(scope="module")
def machine_class(shared: World) -> str:
    name = shared.name()
    shared.admin.create("MachineClasses", name, {"match_labels": ["conformance-no-such-machine"]})
    return name


SETS: list[tuple[str, str, dict[str, str], dict[str, Any], str]] = [
    ("worker", "{c}-a", {"cluster": "{c}", "role_worker": ""}, {}, OK),
    ("control plane", "{c}-control-planes", {"cluster": "{c}", "role_controlplane": ""}, {}, OK),
    (
        "both roles, control plane's id",
        "{c}-control-planes",
        {"cluster": "{c}", "role_controlplane": "", "role_worker": ""},
        {},
        OK,
    ),
    ("both roles, worker's id", "{c}-b", {"cluster": "{c}", "role_controlplane": "", "role_worker": ""}, {}, INVALID),
    ("no labels", "{c}-a", {}, {}, INVALID),
    ("no role", "{c}-a", {"cluster": "{c}"}, {}, INVALID),
    ("no cluster", "{c}-a", {"role_worker": ""}, {}, INVALID),
    ("empty cluster label", "{c}-a", {"cluster": "", "role_worker": ""}, {}, INVALID),
    ("missing cluster", "nowhere-a", {"cluster": "nowhere", "role_worker": ""}, {}, INVALID),
    ("wrong prefix", "other-a", {"cluster": "{c}", "role_worker": ""}, {}, INVALID),
    ("control plane with another id", "{c}-masters", {"cluster": "{c}", "role_controlplane": ""}, {}, INVALID),
    ("worker with the control plane's id", "{c}-control-planes", {"cluster": "{c}", "role_worker": ""}, {}, INVALID),
    ("rest of the id empty", "{c}-", {"cluster": "{c}", "role_worker": ""}, {}, OK),
    ("rest of the id with space and slash", "{c}-a b/c", {"cluster": "{c}", "role_worker": ""}, {}, OK),
    ("rolling strategy", "{c}-a", {"cluster": "{c}", "role_worker": ""}, {"update_strategy": 1}, OK),
    ("unknown strategy", "{c}-a", {"cluster": "{c}", "role_worker": ""}, {"update_strategy": 7}, OK),
]
for _name, _spec, _wanted in (
    ("allocation of a class", {"name": "{class}", "machine_count": 1}, OK),
    ("allocation without a name", {"machine_count": 1}, INVALID),
    ("allocation of a missing class", {"name": "no-such-class", "machine_count": 1}, INVALID),
    ("unlimited allocation", {"name": "{class}", "allocation_type": 1}, OK),
    ("unlimited allocation with a count", {"name": "{class}", "allocation_type": 1, "machine_count": 2}, INVALID),
):
    SETS.append((_name, "{c}-a", {"cluster": "{c}", "role_worker": ""}, {"machine_allocation": _spec}, _wanted))
SETS.append(
    (
        "class by its old field",
        "{c}-a",
        {"cluster": "{c}", "role_worker": ""},
        {"machine_class": {"name": "{class}", "machine_count": 1}},
        OK,
    )
)
SETS.append(
    (
        "missing class by its old field",
        "{c}-a",
        {"cluster": "{c}", "role_worker": ""},
        {"machine_class": {"name": "no-such-class"}},
        INVALID,
    )
)
for _name, _id, _role, _bootstrap in (
    ("bootstrap spec on workers", "{c}-a", "role_worker", {"cluster_uuid": "{uuid}", "snapshot": "a.snapshot"}),
    (
        "bootstrap spec, unknown UUID",
        "{c}-control-planes",
        "role_controlplane",
        {"cluster_uuid": "none", "snapshot": "a.snapshot"},
    ),
    (
        "bootstrap spec, absolute snapshot",
        "{c}-control-planes",
        "role_controlplane",
        {"cluster_uuid": "{uuid}", "snapshot": "/a"},
    ),
    (
        "bootstrap spec, snapshot with ..",
        "{c}-control-planes",
        "role_controlplane",
        {"cluster_uuid": "{uuid}", "snapshot": "a/../b"},
    ),
    ("bootstrap spec, no snapshot", "{c}-control-planes", "role_controlplane", {"cluster_uuid": "{uuid}"}),
    (
        "bootstrap spec, absent snapshot",
        "{c}-control-planes",
        "role_controlplane",
        {"cluster_uuid": "{uuid}", "snapshot": "FFFFFFFF00000000.snapshot"},
    ),
):
    SETS.append((_name, _id, {"cluster": "{c}", _role: ""}, {"bootstrap_spec": _bootstrap}, INVALID))


def _filled(value: Any, **words: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, **words) for key, item in value.items()}
    return value.format(**words) if isinstance(value, str) else value


@pytest.mark.parametrize(("id_", "labels", "spec", "wanted"), cases("cluster-side 3, 16 p4 new MachineSet", SETS))
def test_a_machine_set_is_checked(
    omni: World, machine_class: str, id_: str, labels: dict[str, str], spec: dict[str, Any], wanted: str
) -> None:
    cluster = omni.cluster()
    needs_uuid = "{uuid}" in str(spec)
    uuid = omni.until(lambda: omni.there("ClusterUUIDs", cluster), "the UUID")["spec"]["uuid"] if needs_uuid else ""
    words = {"c": cluster, "class": machine_class, "uuid": uuid}
    made = _labels(cluster, **labels)

    expect(wanted, lambda: omni.admin.create("MachineSets", id_.format(c=cluster), _filled(spec, **words), labels=made))


def test_cluster_side_16_p4_existing_stale_missing(omni: World, cluster: str) -> None:
    name = omni.machine_set(cluster, f"s{omni.name()}")
    read = omni.at_rest("MachineSets", name, 5)

    expect(
        EXISTS, lambda: omni.admin.create("MachineSets", name, labels=_labels(cluster, cluster="{c}", role_worker=""))
    )
    expect(EXISTS, lambda: omni.admin.update(read, version="1"))
    expect(MISSING, lambda: omni.admin.update(never_made("MachineSets", omni.name())))
    expect(MISSING, lambda: omni.admin.teardown("MachineSets", omni.name()))


CHANGES: dict[str, tuple[str, Any]] = {
    "change the cluster label": (INVALID, lambda m: m["labels"].update({LABEL + "cluster": "other"})),
    "drop the cluster label": (INVALID, lambda m: m["labels"].pop(LABEL + "cluster")),
    "drop the role": (INVALID, lambda m: m["labels"].pop(LABEL + "role-worker")),
    "swap the role": (
        OK,
        lambda m: (m["labels"].pop(LABEL + "role-worker"), m["labels"].update({LABEL + "role-controlplane": ""})),
    ),
    "add a label": (OK, lambda m: m["labels"].update(env="test")),
}


@pytest.mark.parametrize("what", cases("cluster-side 3, 16 p4 MachineSet", [(name, name) for name in CHANGES]))
def test_a_machine_set_stays_with_its_cluster(omni: World, cluster: str, what: str) -> None:
    name = omni.machine_set(cluster, f"s{omni.name()}")
    wanted, change = CHANGES[what]

    expect(wanted, lambda: omni.write("MachineSets", name, lambda read: change(read["metadata"])))


def test_cluster_side_3_what_to_bootstrap_from_is_not_added_later(omni: World) -> None:
    cluster = omni.settled_cluster()
    name = omni.machine_set(cluster, "control-planes")
    uuid = omni.admin.get("ClusterUUIDs", cluster)["spec"]["uuid"]

    expect(
        INVALID, lambda: omni.admin.change("MachineSets", name, bootstrap_spec={"cluster_uuid": uuid, "snapshot": "a"})
    )


@pytest.mark.parametrize("role", cases("cluster-side 3 access", [("Operator", "Operator"), ("Reader", "Reader")]))
def test_operators_make_machine_sets_readers_do_not(omni: World, cluster: str, role: str) -> None:
    labels = _labels(cluster, cluster="{c}", role_worker="")
    wanted = OK if role == "Operator" else DENIED
    expect(wanted, lambda: omni.by(role).create("MachineSets", f"{cluster}-{omni.name()}", labels=labels))


def test_cluster_side_3_an_empty_worker_set_is_running_and_ready(omni: World, cluster: str) -> None:
    name = omni.machine_set(cluster, f"s{omni.name()}")

    omni.until(
        lambda: (
            (found := omni.there("MachineSetStatuses", name))
            and (found["spec"].get("phase"), found["spec"].get("ready")) == (3, True)
        ),
        "phase Running (3) and ready",
    )


def test_cluster_side_3_a_set_whose_machine_is_absent_scales_up(omni: World, cluster: str) -> None:
    name = omni.machine_set(cluster, f"s{omni.name()}")
    omni.node(cluster, name)

    omni.until(
        lambda: (
            (found := omni.there("MachineSetStatuses", name))
            and (found["spec"].get("phase"), found["spec"]["machines"].get("requested")) == (1, 1)
        ),
        "phase ScalingUp (1) and one machine requested",
    )


def test_cluster_side_3_a_control_plane_without_nodes_has_failed(omni: World) -> None:
    name = omni.machine_set(omni.settled_cluster(), "control-planes")

    found = omni.until(
        lambda: (status := omni.there("MachineSetStatuses", name)) and status["spec"].get("phase") == 5 and status,
        "phase Failed (5)",
    )

    same(True, bool(found["spec"].get("error")))


def test_cluster_side_3_the_status_copies_the_labels(omni: World, cluster: str) -> None:
    name = omni.machine_set(cluster, f"s{omni.name()}")
    found = omni.until(lambda: omni.there("MachineSetStatuses", name), "the status appears")

    same(cluster, found["metadata"]["labels"].get(LABEL + "cluster"))
    same("", found["metadata"]["labels"].get(LABEL + "role-worker"))


# -- nodes


@pytest.fixture(scope="module")
def machine_set(shared: World, cluster: str) -> str:
    return shared.machine_set(cluster)


NODES: list[tuple[str, dict[str, str], dict[str, str], str]] = [
    ("an unknown machine", {"cluster": "{c}", "machine_set": "{c}-workers"}, {}, OK),
    ("no labels", {}, {}, INVALID),
    ("no set", {"cluster": "{c}"}, {}, INVALID),
    ("no cluster", {"machine_set": "{c}-workers"}, {}, INVALID),
    ("missing set", {"cluster": "{c}", "machine_set": "{c}-none"}, {}, INVALID),
    ("missing cluster", {"cluster": "nowhere", "machine_set": "{c}-workers"}, {}, INVALID),
    ("locked worker", {"cluster": "{c}", "machine_set": "{c}-workers"}, {LABEL + "locked": ""}, OK),
]


@pytest.mark.parametrize(("labels", "marks", "wanted"), cases("cluster-side 4, 16 p5 new MachineSetNode", NODES))
def test_a_node_is_checked(
    omni: World, cluster: str, machine_set: str, labels: dict[str, str], marks: dict[str, str], wanted: str
) -> None:
    made = _labels(cluster, **labels)
    expect(wanted, lambda: omni.admin.create("MachineSetNodes", omni.name(), labels=made, annotations=marks))


def test_cluster_side_16_p5_a_set_of_another_cluster_is_accepted(omni: World, cluster: str, machine_set: str) -> None:
    expect(OK, lambda: omni.node(omni.settled_cluster(), machine_set))


def test_cluster_side_4_a_set_that_takes_machines_of_a_class_takes_no_nodes(
    omni: World, cluster: str, machine_class: str
) -> None:
    allocation = {"machine_allocation": {"name": machine_class, "machine_count": 1}}
    name = omni.machine_set(cluster, f"s{omni.name()}", allocation)

    expect(INVALID, lambda: omni.node(cluster, name))


def test_cluster_side_4_16_p5_a_control_planes_machine_is_not_locked(omni: World) -> None:
    cluster = omni.settled_cluster()
    name = omni.machine_set(cluster, "control-planes")

    expect(INVALID, lambda: omni.node(cluster, name, annotations={LABEL + "locked": ""}))
    node = omni.node(cluster, name)
    expect(INVALID, lambda: omni.annotate("MachineSetNodes", node, "locked"))


@pytest.mark.parametrize(
    "key", cases("cluster-side 4, 16 p5 change of a node's label", [("cluster", "cluster"), ("set", "machine-set")])
)
def test_a_node_does_not_move(omni: World, cluster: str, machine_set: str, key: str) -> None:
    other = omni.settled_cluster()
    target = {"cluster": other, "machine-set": omni.machine_set(cluster, f"s{omni.name()}")}[key]
    node = omni.node(cluster, machine_set)

    expect(
        INVALID,
        lambda: omni.write("MachineSetNodes", node, lambda r: r["metadata"]["labels"].update({LABEL + key: target})),
    )


def test_cluster_side_4_a_machine_is_in_one_set_only(omni: World, cluster: str, machine_set: str) -> None:
    node = omni.node(cluster, machine_set)
    other = omni.machine_set(cluster, f"s{omni.name()}")

    expect(
        EXISTS,
        lambda: omni.admin.create("MachineSetNodes", node, labels=_labels(cluster, cluster="{c}", machine_set=other)),
    )


def test_cluster_side_2_1_16_p5_a_locked_node_is_not_removed(omni: World, cluster: str, machine_set: str) -> None:
    node = omni.node(cluster, machine_set, annotations={LABEL + "locked": ""})

    expect(INVALID, lambda: omni.admin.teardown("MachineSetNodes", node))
    expect(INVALID, lambda: omni.admin.delete("MachineSetNodes", node))
    omni.write("MachineSetNodes", node, lambda read: read["metadata"].pop("annotations"))
    expect(OK, lambda: omni.admin.teardown("MachineSetNodes", node))


def test_cluster_side_4_a_node_of_an_unknown_machine_waits(omni: World, cluster: str, machine_set: str) -> None:
    node = omni.node(cluster, machine_set)
    omni.at_rest("MachineSetNodes", node)

    same(None, omni.there("ClusterMachines", node))
    same("running", omni.admin.get("MachineSetNodes", node)["metadata"]["phase"])


@pytest.mark.parametrize(
    "verb", cases("cluster-side 16 p5 MachineSetNode missing", [("teardown", "teardown"), ("delete", "delete")])
)
def test_a_missing_node_is_missing(omni: World, verb: str) -> None:
    expect(MISSING, lambda: getattr(omni.admin, verb)("MachineSetNodes", omni.name()))


@pytest.mark.parametrize(
    "verb",
    cases(
        "cluster-side 5, 16 p5 ClusterMachine",
        [(v, v) for v in ("create", "update")] + [(v, v, SINCE_1_10) for v in ("teardown", "delete")],
    ),
)
def test_cluster_machines_are_written_by_nobody(omni: World, verb: str) -> None:
    name = omni.name()
    argument = (never_made("ClusterMachines", name),) if verb == "update" else ("ClusterMachines", name)

    expect(DENIED, lambda: getattr(omni.admin, verb)(*argument))


def test_cluster_side_5_only_a_machine_of_a_cluster_is_forced_out(omni: World) -> None:
    expect(INVALID, lambda: omni.admin.create("NodeForceDestroyRequests", omni.name()))
