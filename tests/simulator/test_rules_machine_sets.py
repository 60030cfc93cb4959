"""Machine sets and the machines in them."""

from __future__ import annotations

import uuid
from contextlib import nullcontext
from typing import Any

import pytest

from omni_gateway.simulator.identity.caller import ANONYMOUS
from omni_gateway.simulator.rules import RuleContext, machinesetnodes, machinesets
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store
from tests.simulator.caller import LABEL, Caller, invalid

SPEC = {"talos_version": "1.13.7", "kubernetes_version": "1.35.6"}
CONTROL_PLANE, WORKER = f"{LABEL}role-controlplane", f"{LABEL}role-worker"
LOCK = {f"{LABEL}locked": ""}


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


@pytest.fixture
def machine_class(admin: Caller, name: str) -> str:
    admin.create("MachineClasses", name, {"match_labels": [f"{LABEL}arch = amd64"]})
    return name


def of(cluster: str, *more: str) -> dict[str, str]:
    return {f"{LABEL}cluster": cluster, **dict.fromkeys(more, "")}


def node_of(cluster: str, machine_set: str) -> dict[str, str]:
    return {f"{LABEL}cluster": cluster, f"{LABEL}machine-set": machine_set}


def relabel(caller: Caller, type_: str, id_: str, labels: dict[str, str]) -> None:
    read = caller.get(type_, id_)
    read["metadata"]["labels"] = labels
    caller.update(read, version="undefined")


# -- sets


def test_a_set_needs_a_cluster_and_a_role(admin: Caller, cluster: str) -> None:
    with invalid("cluster is missing", "role label"):
        admin.create("MachineSets", f"{cluster}-workers")
    with invalid("no cluster 'nowhere'"):
        admin.create("MachineSets", "nowhere-workers", labels=of("nowhere", WORKER))


@pytest.mark.parametrize(
    ("suffix", "role"), [("other-workers", WORKER), ("-control-planes", WORKER), ("-masters", CONTROL_PLANE)]
)
def test_a_sets_name_begins_with_its_cluster_and_tells_its_role(
    admin: Caller, cluster: str, suffix: str, role: str
) -> None:
    with invalid():
        admin.create("MachineSets", f"{cluster}{suffix}", labels=of(cluster, role))


@pytest.mark.parametrize("suffix", ["-", "-any thing/at all", "-gpu"])
def test_the_rest_of_a_worker_sets_name_is_free(admin: Caller, cluster: str, suffix: str) -> None:
    admin.create("MachineSets", f"{cluster}{suffix}", labels=of(cluster, WORKER))


def test_both_roles_together_are_a_control_plane(admin: Caller, cluster: str) -> None:
    with invalid("control-planes"):
        admin.create("MachineSets", f"{cluster}-workers", labels=of(cluster, WORKER, CONTROL_PLANE))


@pytest.mark.parametrize("field", ["machine_allocation", "machine_class"])
def test_a_set_takes_machines_of_a_class_that_exists(
    admin: Caller, cluster: str, machine_class: str, field: str
) -> None:
    with invalid("no machine class"):
        admin.create("MachineSets", f"{cluster}-w", {field: {"name": "nothing"}}, labels=of(cluster, WORKER))

    admin.create(
        "MachineSets", f"{cluster}-w", {field: {"name": machine_class, "machine_count": 1}}, labels=of(cluster, WORKER)
    )


@pytest.mark.parametrize(
    "allocation", [{"machine_count": 1}, {"name": "CLASS", "allocation_type": "Unlimited", "machine_count": 1}]
)
def test_allocations_that_make_no_sense(
    admin: Caller, cluster: str, machine_class: str, allocation: dict[str, Any]
) -> None:
    wanted = {key: machine_class if value == "CLASS" else value for key, value in allocation.items()}
    with invalid():
        admin.create("MachineSets", f"{cluster}-w", {"machine_allocation": wanted}, labels=of(cluster, WORKER))


def test_an_unknown_strategy_is_kept(admin: Caller, cluster: str) -> None:
    admin.create("MachineSets", f"{cluster}-w", {"update_strategy": 7}, labels=of(cluster, WORKER))


def test_a_set_stays_with_its_cluster_and_has_a_role(admin: Caller, cluster: str, workers: str) -> None:
    for labels in (of("other", WORKER), {WORKER: ""}, of(cluster)):
        with invalid():
            relabel(admin, "MachineSets", workers, labels)

    relabel(admin, "MachineSets", workers, of(cluster, CONTROL_PLANE))


def test_a_set_with_nodes_stays_manual(
    admin: Caller, cluster: str, workers: str, machine: str, machine_class: str
) -> None:
    admin.change("MachineSets", workers, machine_allocation={"name": machine_class})
    admin.change("MachineSets", workers, machine_allocation=None)
    admin.create("MachineSetNodes", machine, labels=node_of(cluster, workers))
    with invalid("manual"):
        admin.change("MachineSets", workers, machine_allocation={"name": machine_class})


def test_a_bootstrapped_control_plane_is_not_made_again(store: Store, name: str) -> None:
    status = Resource("default", "ClusterBootstrapStatuses.omni.sidero.dev", name, {"bootstrapped": True})
    store.create(status)
    wanted = Resource("default", machinesets.TYPE, f"{name}-control-planes", labels=of(name, CONTROL_PLANE))

    problems = list(machinesets.create(RuleContext(store, ANONYMOUS), wanted))

    assert any("bootstrapped" in problem for problem in problems)


@pytest.mark.parametrize(
    "bootstrap",
    [
        {"cluster_uuid": "none", "snapshot": "a.snapshot"},
        {"cluster_uuid": "none", "snapshot": "/etc/passwd"},
        {"cluster_uuid": "none", "snapshot": "../a"},
        {"cluster_uuid": "none"},
    ],
)
def test_a_control_plane_starts_from_a_backup_that_exists(
    admin: Caller, cluster: str, bootstrap: dict[str, str]
) -> None:
    with invalid("snapshot"):
        admin.create(
            "MachineSets",
            f"{cluster}-control-planes",
            {"bootstrap_spec": bootstrap},
            labels=of(cluster, CONTROL_PLANE),
        )


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

    with invalid("bootstrapped from"):
        admin.change("MachineSets", f"{cluster}-control-planes", bootstrap_spec={"snapshot": "other"})


# -- nodes


def test_a_node_needs_its_cluster_and_set(admin: Caller, cluster: str, machine: str) -> None:
    with invalid("cluster is missing", "machine-set is missing"):
        admin.create("MachineSetNodes", machine)
    with invalid("no machine set", "no cluster"):
        admin.create("MachineSetNodes", machine, labels=node_of("nowhere", "nowhere-workers"))


def test_a_machine_need_not_exist_and_has_one_place(admin: Caller, cluster: str, workers: str, machine: str) -> None:
    admin.create("MachineSetNodes", machine, labels=node_of(cluster, workers))

    for labels in (node_of("other", workers), node_of(cluster, "other")):
        with invalid("cannot be changed"):
            relabel(admin, "MachineSetNodes", machine, labels)


def test_a_set_that_allocates_takes_no_nodes(
    admin: Caller, cluster: str, workers: str, machine: str, machine_class: str
) -> None:
    admin.change("MachineSets", workers, machine_allocation={"name": machine_class})
    with invalid("from a class"):
        admin.create("MachineSetNodes", machine, labels=node_of(cluster, workers))


def test_a_machine_that_runs_a_later_talos_does_not_fit(admin: Caller, store: Store, name: str) -> None:
    admin.create("Clusters", name, {"talos_version": "1.12.11", "kubernetes_version": "1.34.4"})
    admin.create("MachineSets", f"{name}-workers", labels=of(name, WORKER))
    seen = store.view("default", "MachineStatuses.omni.sidero.dev")[0].id
    with invalid("later minor"):
        admin.create("MachineSetNodes", seen, labels=node_of(name, f"{name}-workers"))


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
    node = Resource("default", machinesetnodes.TYPE, "m", labels=node_of("c", "c-workers"), annotations=LOCK)
    ctx = RuleContext(store, ANONYMOUS)

    changed, removed = list(machinesetnodes.update(ctx, node, node)), list(machinesetnodes.destroy(ctx, node))

    assert (changed, removed) == (["the machine set 'c-workers' is being removed"], [])


def test_a_locked_worker_stays(admin: Caller, cluster: str, workers: str, machine: str) -> None:
    admin.create("MachineSetNodes", machine, labels=node_of(cluster, workers), annotations=LOCK)
    with invalid("locked"):
        admin.teardown("MachineSetNodes", machine)
    read = admin.get("MachineSetNodes", machine)
    read["metadata"]["annotations"] = {}
    admin.update(read, version="undefined")

    admin.teardown("MachineSetNodes", machine)


def test_a_control_planes_machine_is_never_locked(admin: Caller, cluster: str, machine: str) -> None:
    admin.create("MachineSets", f"{cluster}-control-planes", labels=of(cluster, CONTROL_PLANE))
    with invalid("cannot be locked"):
        admin.create("MachineSetNodes", machine, labels=node_of(cluster, f"{cluster}-control-planes"), annotations=LOCK)
