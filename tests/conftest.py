"""What every test may ask for: one simulator per test process, and clients of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from omni_gateway.simulator.embedded import RunningSimulator, running_simulator

pytest_plugins = ["tests.conformance.report"]

SPEED = 60.0
FLEET = 24


@pytest.fixture(scope="session")
def simulator() -> Iterator[RunningSimulator]:
    """A real gRPC server on loopback, in a thread of this process."""
    with running_simulator(fleet=FLEET, speed=SPEED, db=None) as running:
        yield running


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Any]:
    """Call something until it returns a true value, with a deadline; fail with the last value."""

    def wait(condition: Callable[[], Any], seconds: float = 20.0, what: str = "the condition") -> Any:
        deadline = time.monotonic() + seconds
        pause = 0.005
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                pytest.fail(f"{what} did not come true within {seconds} s; last value: {value!r}")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)

    return wait
