"""A large fleet, many clusters, many watchers. How fast is measured by ``make bench-simulator``, not here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import grpc
import pytest

from omni_gateway.simulator import kinds
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.simulator.state.resource import Resource
from tests.simulator.caller import LABEL, Caller
from tests.simulator.service_calls import VERSIONS

pytestmark = pytest.mark.slow

FLEET, CLUSTERS, WATCHERS = 1000, 40, 40
RUNNING = 3


@pytest.fixture(scope="module")
def sim() -> Iterator[RunningSimulator]:
    with running_simulator(fleet=FLEET, speed=100.0) as running:
        yield running


def make_clusters(sim: RunningSimulator, names: list[str]) -> None:
    """Make clusters of one to three machines, the first of them the control plane."""
    free = iter(sim.store.view("default", kinds.MACHINE_STATUS))
    for number, name in enumerate(names):
        mine = {f"{LABEL}cluster": name}
        sim.store.create(Resource("default", kinds.CLUSTER, name, dict(VERSIONS), mine | {"round": "0"}))
        for role, set_, count in (("controlplane", "control-planes", 1), ("worker", "workers", number % 3)):
            marks = mine | {f"{LABEL}role-{role}": ""}
            sim.store.create(Resource("default", kinds.MACHINE_SET, f"{name}-{set_}", {}, marks))
            for _ in range(count):
                node = marks | {f"{LABEL}machine-set": f"{name}-{set_}"}
                sim.store.create(Resource("default", kinds.MACHINE_SET_NODE, next(free).id, {}, node))


def test_many_clusters_live_at_once_and_every_watcher_hears_of_each_change(
    sim: RunningSimulator, admin: Caller, wait_until: Callable[..., Any]
) -> None:
    assert admin.list("MachineStatuses")[1] == admin.list("Machines")[1] == FLEET
    names = [f"many-{number:02d}" for number in range(CLUSTERS)]
    make_clusters(sim, names)

    def alive() -> bool:
        specs = [res.spec for res in sim.store.view("default", kinds.CLUSTER_STATUS)]
        return [(spec.get("phase"), spec.get("ready")) for spec in specs] == [(RUNNING, True)] * CLUSTERS

    wait_until(alive, 90, f"{CLUSTERS} living clusters")
    machines = sum(1 + number % 3 for number in range(CLUSTERS))
    assert admin.list("MachineStatuses", f"{LABEL}available")[1] == FLEET - machines

    with ExitStack() as stack:
        channel = stack.enter_context(grpc.insecure_channel(sim.endpoint.removeprefix("http://")))
        caller = Caller(channel, sim.key)
        watches = [stack.enter_context(caller.watch("Clusters")) for _ in range(WATCHERS)]
        for watch in watches:
            assert len(watch.kinds(CLUSTERS + 1)) == CLUSTERS + 1
        for name in names:
            sim.store.modify("default", kinds.CLUSTER, name, lambda res: res.labels.update(round="1"))
        for watch in watches:
            assert watch.kinds(CLUSTERS) == [f"updated {name}" for name in names]
    assert alive()
