"""A cluster from its creation to a Kubernetes that answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omni_gateway.simulator import kinds
from tests.simulator.machine_world import PREFIX, World, running_world


@pytest.fixture
def world() -> Iterator[World]:
    with running_world() as found:
        yield found


def test_a_new_cluster_goes_to_version_14_by_itself(world: World) -> None:
    world.make(kinds.CLUSTER, "bare", {"kubernetes_version": "1.35.6", "talos_version": "1.13.7"})

    cluster = world.wait(lambda: (res := world.find(kinds.CLUSTER, "bare")) and res.version == 14 and res)

    assert len(cluster.finalizers) == 13


def test_a_cluster_without_machines_stays_unknown_and_has_its_first_statuses(world: World) -> None:
    world.make(kinds.CLUSTER, "bare", {"kubernetes_version": "1.35.6", "talos_version": "1.13.7"})

    world.wait(lambda: world.find(kinds.CLUSTER_STATUS, "bare") and world.find(kinds.UPGRADE_ROLLOUT, "bare"))

    assert world.spec(kinds.CLUSTER_STATUS, "bare")["phase"] == 0
    assert world.spec(kinds.CLUSTER_CONFIG_VERSION, "bare") == {"version": "v1.13.7"}
    assert world.spec(kinds.TALOS_UPGRADE_STATUS, "bare")["phase"] == 2
    assert world.spec(kinds.LOAD_BALANCER_STATUS, "bare") == {"healthy": False, "stopped": True}
    assert world.spec(kinds.LOAD_BALANCER_CONFIG, "bare")["bind_port"] == "10000"
    assert world.find(kinds.KUBERNETES_STATUS, "bare") is None


def test_an_empty_worker_set_is_ready_and_an_empty_control_plane_has_failed(world: World) -> None:
    world.start_cluster(control_planes=0, workers=0)

    world.wait(lambda: world.spec(kinds.MACHINE_SET_STATUS, "c1-workers").get("ready"))
    status = world.wait(lambda: world.spec(kinds.MACHINE_SET_STATUS, "c1-control-planes"))

    assert status["phase"] == 5
    assert status["error"]


def test_a_cluster_of_three_machines_becomes_ready(world: World) -> None:
    world.ready_cluster()

    status = world.spec(kinds.CLUSTER_STATUS, "c1")

    assert status["phase"] == 3
    assert status["controlplaneReady"]
    assert status["machines"] == {"total": 3, "healthy": 3, "connected": 3, "requested": 3}
    assert world.spec(kinds.CLUSTER_BOOTSTRAP_STATUS, "c1") == {"bootstrapped": True}
    assert len(world.spec(kinds.KUBERNETES_STATUS, "c1")["nodes"]) == 3
    assert world.spec(kinds.KUBERNETES_UPGRADE_STATUS, "c1")["upgrade_versions"] == ["1.35.7", "1.36.1", "1.36.3"]


def test_the_first_upgrade_status_does_not_say_which_version_runs(world: World) -> None:
    world.ready_cluster()

    told = [spec.get("last_upgrade_version") for spec in world.history(kinds.KUBERNETES_UPGRADE_STATUS, "c1")]

    assert (told[0], told[-1]) == (None, "1.35.6")


def test_the_identity_of_a_machine_comes_after_the_machine_is_ready(world: World) -> None:
    world.ready_cluster(workers=0)
    id = world.machine(0)

    identity = world.wait(lambda: world.find(kinds.CLUSTER_MACHINE_IDENTITY, id))

    ready = next(
        event.new
        for event in world.events
        if event.new.type == kinds.CLUSTER_MACHINE_STATUS and event.new.id == id and event.new.spec["ready"]
    )
    assert identity.created > ready.updated


def test_ready_comes_before_the_kubernetes_api_answers(world: World) -> None:
    world.ready_cluster()

    seen = [(spec["ready"], spec["kubernetesAPIReady"]) for spec in world.history(kinds.CLUSTER_STATUS, "c1")]

    assert (True, False) in seen


def test_machines_are_configured_first_and_run_then(world: World) -> None:
    world.ready_cluster()

    history = world.history(kinds.CLUSTER_MACHINE_STATUS, world.machine(1))

    assert [history[0]["stage"], history[-1]["stage"]] == [3, 4]
    assert [history[0]["config_apply_status"], history[-1]["config_apply_status"]] == [1, 2]


def test_a_machine_that_joins_is_no_longer_available(world: World) -> None:
    world.ready_cluster(control_planes=1, workers=0)

    status = world.wait(
        lambda: (res := world.find(kinds.MACHINE_STATUS, world.machine(0))) and res.spec["cluster"] and res
    )

    assert (status.spec["cluster"], status.spec["role"], status.spec["maintenance"]) == ("c1", 1, False)
    assert PREFIX + "available" not in status.labels
    assert status.labels[PREFIX + "cluster"] == "c1"
    assert {PREFIX + "installed", PREFIX + "role-controlplane"} <= status.labels.keys()


def test_a_node_for_a_machine_that_does_not_exist_stays_pending(world: World) -> None:
    world.ready_cluster()
    world.make(kinds.MACHINE_SET_NODE, "no-such-machine", cluster="c1", machine_set="c1-workers")

    world.wait(lambda: world.spec(kinds.MACHINE_SET_STATUS, "c1-workers")["machines"]["requested"] == 3)

    assert world.spec(kinds.MACHINE_SET_STATUS, "c1-workers")["phase"] == 1
    assert world.find(kinds.CLUSTER_MACHINE, "no-such-machine") is None


def test_a_machine_class_gives_a_set_as_many_machines_as_it_asks_for(world: World) -> None:
    world.make(kinds.MACHINE_CLASS, "small", {"match_labels": ["omni.sidero.dev/cores <= 8"]})
    world.start_cluster(control_planes=1, workers=0)
    world.set_spec(kinds.MACHINE_SET, "c1-workers", machine_allocation={"name": "small", "machine_count": 2})

    world.wait(lambda: world.spec(kinds.MACHINE_SET_STATUS, "c1-workers").get("machines", {}).get("healthy") == 2)

    nodes = [res for res in world.all(kinds.MACHINE_SET_NODE) if res.owner == "MachineSetNodeController"]
    assert len(nodes) == 2
    for node in nodes:
        found = world.find(kinds.MACHINE_STATUS, node.id)
        assert found is not None
        assert int(found.labels[PREFIX + "cores"]) <= 8


def test_asking_a_class_for_fewer_machines_gives_some_back(world: World) -> None:
    world.make(kinds.MACHINE_CLASS, "any", {"match_labels": ["omni.sidero.dev/arch"]})
    world.start_cluster(control_planes=1, workers=0)
    world.set_spec(kinds.MACHINE_SET, "c1-workers", machine_allocation={"name": "any", "machine_count": 3})
    world.wait(lambda: world.spec(kinds.MACHINE_SET_STATUS, "c1-workers").get("machines", {}).get("healthy") == 3)

    world.set_spec(kinds.MACHINE_SET, "c1-workers", machine_allocation={"name": "any", "machine_count": 1})

    world.wait(lambda: world.spec(kinds.MACHINE_SET_STATUS, "c1-workers")["machines"]["total"] == 1)
    world.wait(lambda: world.spec(kinds.MACHINE_SET_STATUS, "c1-workers")["ready"])


def test_a_restart_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    db = str(tmp_path / "omni.db")
    with running_world(db=db, speed=5.0) as first:
        first.start_cluster()
        first.wait(lambda: first.spec(kinds.EMULATED_MACHINE, first.machine(1)).get("steps"))
        uuid = first.spec(kinds.CLUSTER_UUID, "c1")

    with running_world(db=db) as second:
        second.wait(second.ready)

        assert second.spec(kinds.CLUSTER_UUID, "c1") == uuid
        assert second.find(kinds.MACHINE_STATUS_LINK, second.machine(0)) is not None


def test_a_small_cluster_is_usable_within_a_second_and_a_half_at_speed_50() -> None:
    with running_world(speed=50.0) as world:
        began = time.monotonic()
        world.ready_cluster()

        assert time.monotonic() - began < 1.5


def test_a_simulator_at_rest_has_nothing_to_do() -> None:
    with running_world(machines=50) as world:
        world.ready_cluster()

        world.wait(world.settled)

        assert world.spec(kinds.MACHINE_STATUS_METRICS, "metrics")["registered_machines_count"] == 50
        assert world.spec(kinds.MACHINE_STATUS_METRICS, "metrics")["allocated_machines_count"] == 3
