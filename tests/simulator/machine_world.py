"""A store with controllers and machines behind it, without the gRPC server: what lifecycle tests stand on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.runtime import Runtime
from omni_gateway.simulator.controllers import all_controllers
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.seed import fleet
from omni_gateway.simulator.seed.catalog import seed_catalog
from omni_gateway.simulator.seed.fleet import seed_fleet
from omni_gateway.simulator.state.resource import Event, Resource
from omni_gateway.simulator.state.store import Store

SPEED = 100.0
PREFIX = "omni.sidero.dev/"


@dataclass
class World:
    """The state, and everything that has happened to it."""

    store: Store
    settled: Callable[[], bool]
    """Whether no controller has anything to do, now or later."""

    events: list[Event] = field(default_factory=list)

    def machine(self, index: int) -> str:
        return fleet.machine_id(index)

    def find(self, kind: str, id_: str) -> Resource | None:
        return self.store.find(namespace_of(kind), kind, id_)

    def spec(self, kind: str, id_: str) -> dict[str, Any]:
        res = self.find(kind, id_)
        return res.spec if res else {}

    def all(self, kind: str) -> list[Resource]:
        return self.store.list(namespace_of(kind), kind)

    def make(self, kind: str, id_: str, spec: dict[str, Any] | None = None, **labels: str) -> None:
        marks = {PREFIX + key.replace("_", "-"): value for key, value in labels.items()}
        self.store.create(Resource(namespace_of(kind), kind, id_, spec or {}, marks))

    def change(self, kind: str, id_: str, change: Callable[[Resource], None]) -> None:
        self.store.modify(namespace_of(kind), kind, id_, change)

    def set_spec(self, kind: str, id_: str, **fields: Any) -> None:
        self.change(kind, id_, lambda res: res.spec.update(fields))

    def annotate(self, kind: str, id_: str, key: str) -> None:
        self.change(kind, id_, lambda res: res.annotations.update({PREFIX + key: ""}))

    def teardown(self, kind: str, id_: str) -> None:
        self.store.teardown(namespace_of(kind), kind, id_)

    def history(self, kind: str, id_: str) -> list[dict[str, Any]]:
        """Return every spec that an object has had, in order."""
        return [event.new.spec for event in self.events if event.new.type == kind and event.new.id == id_]

    def wait(self, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > deadline:
                pytest.fail(f"it did not come true within {seconds} s; last value: {value!r}")
            time.sleep(0.002)
        return value

    def start_cluster(self, name: str = "c1", control_planes: int = 1, workers: int = 2, first: int = 0) -> None:
        """Ask for a cluster of the next machines, without waiting for it."""
        versions = {"kubernetes_version": "1.35.6", "talos_version": "1.13.7"}
        self.make(kinds.CLUSTER, name, versions | {"features": {"use_embedded_discovery_service": True}})
        self.make(kinds.MACHINE_SET, f"{name}-control-planes", cluster=name, role_controlplane="")
        self.make(kinds.MACHINE_SET, f"{name}-workers", cluster=name, role_worker="")
        for index in range(control_planes + workers):
            machine_set = f"{name}-control-planes" if index < control_planes else f"{name}-workers"
            self.add_node(name, machine_set, first + index)

    def add_node(self, cluster: str, machine_set: str, index: int) -> None:
        role = "role_controlplane" if machine_set.endswith("-control-planes") else "role_worker"
        place = {"cluster": cluster, "machine_set": machine_set, role: ""}
        self.make(kinds.MACHINE_SET_NODE, self.machine(index), **place)

    def ready(self, name: str = "c1") -> bool:
        status = self.spec(kinds.CLUSTER_STATUS, name)
        return bool(status.get("ready") and status.get("kubernetesAPIReady"))

    def ready_cluster(self, name: str = "c1", control_planes: int = 1, workers: int = 2, first: int = 0) -> None:
        """Make a cluster and wait until its Kubernetes can be used."""
        self.start_cluster(name, control_planes, workers, first)
        known = "last_upgrade_version"
        self.wait(lambda: self.ready(name) and self.spec(kinds.KUBERNETES_UPGRADE_STATUS, name).get(known))


@contextmanager
def running_world(machines: int = 6, db: str | None = None, speed: float = SPEED) -> Iterator[World]:
    """Run the controllers over a store with a fleet."""
    store = Store(db)
    seed_catalog(store)
    seed_fleet(store, machines)
    runtime = Runtime(store, all_controllers(), speed)
    world = World(store, runtime.settled)
    store.subscribe(world.events.append)
    runtime.start()
    try:
        yield world
    finally:
        runtime.stop()
        store.close()
