"""Whatever is asked of it, in whatever order: in the end everything is as it was asked for last, or gone."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

import pytest

from omni_gateway.simulator import kinds
from omni_gateway.simulator.errors import SimError
from omni_gateway.simulator.machines.hardware import begin, reboot_steps
from tests.simulator.machine_world import PREFIX, World, running_world

pytestmark = pytest.mark.slow

MACHINES = 8
ACTIONS = 200


def anything(world: World, dice: random.Random) -> Callable[[], object]:
    """Pick something to ask for; much of it is impossible at the moment."""
    cluster, machine = dice.choice("ab"), dice.randrange(MACHINES)
    machine_set = f"{cluster}-{dice.choice(['control-planes', 'workers'])}"
    id_ = world.machine(machine)
    patch = {"data": f"machine:\n  env:\n    A: '{dice.random()}'\n"}
    return dice.choice(
        [
            lambda: world.start_cluster(cluster, 0, 0),
            lambda: world.find(kinds.MACHINE_SET, machine_set) and world.add_node(cluster, machine_set, machine),
            lambda: world.find(kinds.MACHINE_SET, machine_set) and world.add_node(cluster, machine_set, machine),
            lambda: world.teardown(kinds.MACHINE_SET_NODE, id_),
            lambda: world.make(kinds.CONFIG_PATCH, f"p{machine}", patch, cluster=cluster),
            lambda: world.teardown(kinds.CONFIG_PATCH, f"p{machine}"),
            lambda: world.annotate(kinds.MACHINE_SET_NODE, id_, "locked"),
            lambda: begin(world.store, id_, reboot_steps(), queue=True),
            lambda: world.set_spec(kinds.CLUSTER, cluster, kubernetes_version=dice.choice(["1.35.6", "1.35.7"])),
            lambda: world.set_spec(kinds.CLUSTER, cluster, talos_version=dice.choice(["1.13.7", "1.13.8"])),
            lambda: dice.random() < 0.2 and world.teardown(kinds.MACHINE_SET, machine_set),
            lambda: dice.random() < 0.1 and world.teardown(kinds.CLUSTER, cluster),
        ]
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_disorder_everything_comes_to_rest(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    dice = random.Random(seed)
    with running_world(machines=MACHINES, speed=400.0) as world:
        for _ in range(ACTIONS):
            try:
                anything(world, dice)()
            except SimError:
                continue
            world.wait(lambda: dice.random() < 0.4)
        for node in world.all(kinds.MACHINE_SET_NODE):
            world.change(kinds.MACHINE_SET_NODE, node.id, lambda res: res.annotations.clear())

        world.wait(world.settled)
        for cluster in world.all(kinds.CLUSTER):
            world.teardown(kinds.CLUSTER, cluster.id)
        world.wait(lambda: not world.all(kinds.CLUSTER) and world.settled())

        assert [record.getMessage() for record in caplog.records] == []
        assert world.all(kinds.CLUSTER_MACHINE) == world.all(kinds.MACHINE_SET) == world.all(kinds.CLUSTER_STATUS) == []
        for machine in world.all(kinds.MACHINE_STATUS):
            assert PREFIX + "available" in machine.labels
            assert machine.spec["connected"]
