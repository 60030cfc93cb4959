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


def test_a_small_cluster_is_usable_in_far_less_than_its_minute_at_speed_50() -> None:
    with running_world(speed=50.0) as world:
        began = time.monotonic()
        world.ready_cluster()

        assert time.monotonic() - began < 15


def test_a_simulator_at_rest_has_nothing_to_do() -> None:
    with running_world(machines=50) as world:
        world.ready_cluster()

        world.wait(world.settled)

        assert world.spec(kinds.MACHINE_STATUS_METRICS, "metrics")["registered_machines_count"] == 50
        assert world.spec(kinds.MACHINE_STATUS_METRICS, "metrics")["allocated_machines_count"] == 3
