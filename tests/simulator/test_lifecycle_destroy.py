"""The end of clusters, machine sets, nodes and machines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omni_gateway.simulator import kinds
from omni_gateway.simulator.machines.hardware import Step, begin
from tests.simulator.machine_world import World, running_world


@pytest.fixture
def world() -> Iterator[World]:
    with running_world() as found:
        yield found


def gone(world: World, kind: str, id_: str) -> bool:
    return world.find(kind, id_) is None


def test_a_finalizer_of_a_user_holds_the_cluster(world: World) -> None:
    world.start_cluster(control_planes=0, workers=0)
    world.wait(lambda: (res := world.find(kinds.CLUSTER, "c1")) and res.version == 14)
    key = ("default", kinds.MACHINE_SET, "c1-workers")
    world.store.add_finalizer(key, "mine")

    world.teardown(kinds.CLUSTER, "c1")

    world.wait(lambda: (res := world.find(kinds.MACHINE_SET, "c1-workers")) and res.finalizers == ["mine"])
    assert not gone(world, kinds.CLUSTER, "c1")
    world.wait(lambda: world.spec(kinds.CLUSTER_STATUS, "c1").get("phase") == 4)
    world.store.remove_finalizer(key, "mine")
    world.wait(lambda: gone(world, kinds.CLUSTER, "c1"))


def test_control_planes_leave_one_at_a_time(world: World) -> None:
    world.ready_cluster(control_planes=3, workers=0)

    world.teardown(kinds.MACHINE_SET_NODE, world.machine(1))
    world.teardown(kinds.MACHINE_SET_NODE, world.machine(2))

    world.wait(lambda: len(world.all(kinds.CLUSTER_MACHINE)) == 1)
    world.wait(world.ready)
    leaving: set[str] = set()
    for event in world.events:
        if event.new.type == kinds.CLUSTER_MACHINE and event.new.phase != "running":
            (leaving.discard if event.kind == "destroyed" else leaving.add)(event.new.id)
            assert len(leaving) <= 1


def test_the_last_control_plane_waits_and_comes_back_with_its_node(world: World) -> None:
    world.ready_cluster()
    world.teardown(kinds.MACHINE_SET_NODE, world.machine(0))
    world.wait(lambda: world.spec(kinds.CLUSTER_MACHINE_STATUS, world.machine(0))["stage"] == 9)
    world.wait(lambda: gone(world, kinds.MACHINE_SET_NODE, world.machine(0)))
    assert world.ready()

    world.add_node("c1", "c1-control-planes", 0)

    world.wait(lambda: world.spec(kinds.CLUSTER_MACHINE_STATUS, world.machine(0))["stage"] == 4)
    assert world.ready()


def test_a_removed_link_removes_the_machine_even_out_of_a_cluster(world: World) -> None:
    world.ready_cluster()

    world.teardown(kinds.LINK, world.machine(2))

    world.wait(
        lambda: gone(world, kinds.LINK, world.machine(2)) and gone(world, kinds.MACHINE_STATUS, world.machine(2))
    )
    for kind in (kinds.MACHINE, kinds.MACHINE_LABELS, kinds.MACHINE_SET_NODE, kinds.CLUSTER_MACHINE):
        assert gone(world, kind, world.machine(2))
    world.wait(world.ready)


def test_a_removed_link_takes_even_the_last_control_plane_out(world: World) -> None:
    world.ready_cluster()

    world.teardown(kinds.LINK, world.machine(0))

    world.wait(
        lambda: gone(world, kinds.LINK, world.machine(0)) and gone(world, kinds.CLUSTER_MACHINE, world.machine(0))
    )
    assert not gone(world, kinds.CLUSTER, "c1")


def test_a_machine_that_is_off_leaves_its_cluster_only_by_force(world: World) -> None:
    world.ready_cluster()
    begin(world.store, world.machine(2), [Step("off", 100_000.0, {}, "")])
    world.set_spec(kinds.EMULATED_MACHINE, world.machine(2), power="off")
    world.wait(lambda: world.spec(kinds.CLUSTER_MACHINE_STATUS, world.machine(2))["stage"] == 11)
    world.teardown(kinds.MACHINE_SET_NODE, world.machine(2))
    world.wait(lambda: (res := world.find(kinds.CLUSTER_MACHINE, world.machine(2))) and res.phase == "tearingDown")

    world.make(kinds.NODE_FORCE_DESTROY_REQUEST, world.machine(2))

    world.wait(lambda: gone(world, kinds.CLUSTER_MACHINE, world.machine(2)))
    world.wait(lambda: gone(world, kinds.NODE_FORCE_DESTROY_REQUEST, world.machine(2)))
    world.wait(world.ready)
