"""The end of clusters, machine sets, nodes and machines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from omni_gateway.simulator import kinds
from omni_gateway.simulator.machines.hardware import Step, begin
from tests.simulator.machine_world import PREFIX, World, running_world


@pytest.fixture
def world() -> Iterator[World]:
    with running_world() as found:
        yield found


def gone(world: World, kind: str, id_: str) -> bool:
    return world.find(kind, id_) is None


def test_a_destroyed_cluster_leaves_nothing_behind_and_gives_its_machines_back(world: World) -> None:
    world.ready_cluster()
    world.make(kinds.CONFIG_PATCH, "500-x", {"data": "machine:\n  env:\n    A: b\n"}, cluster="c1")

    world.teardown(kinds.CLUSTER, "c1")

    world.wait(lambda: gone(world, kinds.CLUSTER, "c1") and gone(world, kinds.CLUSTER_STATUS, "c1"))
    for index in range(3):
        machine = world.wait(
            lambda index=index: (
                (res := world.find(kinds.MACHINE_STATUS, world.machine(index)))
                and PREFIX + "available" in res.labels
                and res
            )
        )
        assert (machine.spec["maintenance"], machine.spec["cluster"], machine.spec["role"]) == (True, "", 0)
        assert PREFIX + "installed" in machine.labels
    world.wait(lambda: gone(world, kinds.LOAD_BALANCER_CONFIG, "c1") and gone(world, kinds.ONGOING_TASK, "c1-destroy"))
    assert world.all(kinds.CLUSTER_MACHINE) == world.all(kinds.MACHINE_SET_NODE) == world.all(kinds.CONFIG_PATCH) == []


def test_workers_go_wholly_before_the_control_plane(world: World) -> None:
    world.ready_cluster()

    world.teardown(kinds.CLUSTER, "c1")

    world.wait(lambda: gone(world, kinds.CLUSTER, "c1"))
    ends = [
        event.new.id for event in world.events if event.kind == "destroyed" and event.new.type == kinds.CLUSTER_MACHINE
    ]
    assert ends[-1] == world.machine(0)
    sets = [event.new.id for event in world.events if event.kind == "destroyed" and event.new.type == kinds.MACHINE_SET]
    assert sets == ["c1-workers", "c1-control-planes"]


def test_a_destroy_tells_how_much_is_left(world: World) -> None:
    world.ready_cluster()

    world.teardown(kinds.CLUSTER, "c1")

    world.wait(lambda: gone(world, kinds.CLUSTER_DESTROY_STATUS, "c1") and gone(world, kinds.CLUSTER, "c1"))
    phases = [spec["phase"] for spec in world.history(kinds.CLUSTER_DESTROY_STATUS, "c1")]
    assert phases[0].startswith("2 machine sets and 3 machines")
    assert phases[-1].startswith("0 machine sets and 0 machines")
    assert world.history(kinds.ONGOING_TASK, "c1-destroy")[0]["destroy"]["phase"]


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


def test_a_worker_that_is_taken_out_goes_back_to_the_fleet(world: World) -> None:
    world.ready_cluster()

    world.teardown(kinds.MACHINE_SET_NODE, world.machine(2))

    world.wait(lambda: gone(world, kinds.CLUSTER_MACHINE_STATUS, world.machine(2)))
    world.wait(world.ready)
    stages = [spec["stage"] for spec in world.history(kinds.CLUSTER_MACHINE_STATUS, world.machine(2))]
    assert list(dict.fromkeys(stages)) == [3, 4, 9, 5]
    assert world.spec(kinds.CLUSTER_STATUS, "c1")["machines"]["total"] == 2
    assert 2 in [spec["phase"] for spec in world.history(kinds.MACHINE_SET_STATUS, "c1-workers")]


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


def test_a_set_that_is_destroyed_takes_its_patches_with_it_but_not_those_of_its_machines(world: World) -> None:
    world.ready_cluster()
    data = {"data": "machine:\n  env:\n    A: b\n"}
    world.make(kinds.CONFIG_PATCH, "400-set", data, cluster="c1", machine_set="c1-workers")
    world.make(kinds.CONFIG_PATCH, "400-machine", data, cluster="c1", cluster_machine=world.machine(1))
    world.wait(world.ready)

    world.teardown(kinds.MACHINE_SET, "c1-workers")

    world.wait(lambda: gone(world, kinds.MACHINE_SET, "c1-workers") and gone(world, kinds.CONFIG_PATCH, "400-set"))
    assert not gone(world, kinds.CONFIG_PATCH, "400-machine")
    phases = [spec["phase"] for spec in world.history(kinds.MACHINE_SET_DESTROY_STATUS, "c1-workers")]
    assert phases[0].startswith("2 machines")
    world.wait(lambda: gone(world, kinds.MACHINE_SET_DESTROY_STATUS, "c1-workers"))


def test_a_removed_link_removes_the_machine_even_out_of_a_cluster(world: World) -> None:
    world.ready_cluster()

    world.teardown(kinds.LINK, world.machine(2))

    world.wait(
        lambda: gone(world, kinds.LINK, world.machine(2)) and gone(world, kinds.MACHINE_STATUS, world.machine(2))
    )
    for kind in (kinds.MACHINE, kinds.MACHINE_LABELS, kinds.MACHINE_SET_NODE, kinds.CLUSTER_MACHINE):
        assert gone(world, kind, world.machine(2))
    world.wait(world.ready)


def test_a_recreated_cluster_has_another_uuid(world: World) -> None:
    world.ready_cluster()
    uuid = world.spec(kinds.CLUSTER_UUID, "c1")
    world.teardown(kinds.CLUSTER, "c1")
    world.wait(lambda: gone(world, kinds.CLUSTER, "c1") and gone(world, kinds.CLUSTER_UUID, "c1"))

    world.ready_cluster()

    assert world.spec(kinds.CLUSTER_UUID, "c1") != uuid


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
