"""The Omni of a test run: the embedded simulator over real gRPC, and its objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from omni_gateway.omni import OmniConfig
from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.simulator.faults import Faults
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.state.resource import Resource

#: The machines of the embedded Omni, and how many times faster than real ones they change.
FLEET, SPEED = 8, 60.0


class EmbeddedOmni:
    """A running simulator. Objects are put into it past Omni's roles and rules, as Omni's own controllers do."""

    def __init__(self, simulator: RunningSimulator) -> None:
        self._simulator = simulator

    @property
    def config(self) -> OmniConfig:
        """Return the address, with an admin's key."""
        return OmniConfig(self._simulator.endpoint, self._simulator.key)

    @property
    def faults(self) -> Faults:
        """Return the rules by which its calls fail on demand."""
        return self._simulator.faults

    def key_of(self, role: str) -> str:
        """Make a service account of a role (``Reader``, ``Operator``, ``Admin``, ``InfraProvider``); return its key."""
        return self._simulator.make_key(role)

    def put(
        self,
        type: str,
        id: str,
        spec: Mapping[str, Any] | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        namespace: str = "",
        owner: str = "",
    ) -> None:
        """Create an object, or replace the spec and labels of an existing one of the same owner."""
        resource = Resource(
            namespace or namespace_of(type), type, id, dict(spec or {}), dict(labels or {}), owner=owner
        )
        store = self._simulator.store
        existing = store.find(*resource.key)
        if existing is None:
            store.create(resource, owner=owner)
            return
        changed = existing.copy()
        changed.spec, changed.labels = resource.spec, resource.labels
        store.update(changed, owner=existing.owner)

    def spec(self, type: str, id: str, *, namespace: str = "") -> dict[str, Any] | None:
        """Return an object's spec; None if there is no such object."""
        found = self._simulator.store.find(namespace or namespace_of(type), type, id)
        return None if found is None else found.copy().spec

    def label(self, type: str, id: str, name: str, value: str, *, namespace: str = "") -> None:
        """Set a label of an existing object, whoever owns it."""
        store = self._simulator.store
        changed = store.get(namespace or namespace_of(type), type, id).copy()
        changed.labels[name] = value
        store.update(changed, owner=changed.owner)

    def remove(self, type: str, id: str, *, namespace: str = "") -> None:
        """Remove an object that nothing holds, whoever owns it."""
        store = self._simulator.store
        existing = store.get(namespace or namespace_of(type), type, id)
        store.destroy(*existing.key, owner=existing.owner)


@contextmanager
def embedded_omni() -> Iterator[EmbeddedOmni]:
    """Run an Omni of its own on a free port of this machine."""
    with running_simulator(fleet=FLEET, speed=SPEED) as simulator:
        yield EmbeddedOmni(simulator)
