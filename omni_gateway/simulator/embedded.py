"""A simulator inside another process: real gRPC on loopback, for tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from omni_gateway.simulator.faults import Faults
from omni_gateway.simulator.identity import accounts
from omni_gateway.simulator.identity.keys import generate
from omni_gateway.simulator.image_factory import ImageFactory
from omni_gateway.simulator.server import Simulator
from omni_gateway.simulator.state.store import Store


@dataclass
class RunningSimulator:
    """Where it listens, an Admin's key (the value of ``OMNI_SERVICE_ACCOUNT_KEY``), its state, and faults on demand.

    ``factory`` is its image factory.
    """

    endpoint: str
    key: str = field(repr=False)
    store: Store = field(repr=False)
    faults: Faults = field(repr=False)
    factory: ImageFactory = field(repr=False)
    http_address: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def make_key(self, role: str) -> str:
        """Make a service account of a role and return its key value."""
        prefix = "infra-provider:" if role == "InfraProvider" else ""
        name = f"{prefix}made-{role.lower()}-{next(self._numbers)}"
        pair = generate(name, accounts.full_id(name))
        accounts.create_service_account(self.store, name, role, pair.public)
        return pair.encoded


@contextmanager
def running_simulator(
    *, fleet: int = 8, speed: float = 50.0, db: str | None = None, break_glass: bool = False, http: bool = False
) -> Iterator[RunningSimulator]:
    """Run a simulator on a free port of this machine; ``http``: with Omni's HTTP gateway on another one."""
    simulator = Simulator(fleet=fleet, speed=speed, db=db, faults=True, break_glass=break_glass)
    assert simulator.faults is not None
    try:
        address = simulator.start(http_listen="127.0.0.1:0" if http else "")
        running = RunningSimulator(
            f"http://{address}", simulator.key, simulator.store, simulator.faults, simulator.factory
        )
        running.http_address = simulator.http_address
        yield running
    finally:
        simulator.stop()
