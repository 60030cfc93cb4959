"""A simulator of each test module's own, and callers of every role."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import grpc
import pytest

from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.simulator.state.store import Store
from tests.simulator.caller import Caller

_SIZE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@pytest.fixture(scope="module")
def sim() -> Iterator[RunningSimulator]:
    with running_simulator(fleet=4, speed=100.0) as running:
        yield running


@pytest.fixture(scope="module")
def channel(sim: RunningSimulator) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(sim.endpoint.removeprefix("http://"), options=_SIZE) as channel:
        yield channel


@pytest.fixture(scope="module")
def call_as(sim: RunningSimulator, channel: grpc.Channel) -> Callable[[str], Caller]:
    """Make a caller with a new account of a role."""
    return lambda role: Caller(channel, sim.make_key(role))


@pytest.fixture(scope="module")
def admin(sim: RunningSimulator, channel: grpc.Channel) -> Caller:
    return Caller(channel, sim.key)


@pytest.fixture(scope="module")
def operator(call_as: Callable[[str], Caller]) -> Caller:
    return call_as("Operator")


@pytest.fixture(scope="module")
def reader(call_as: Callable[[str], Caller]) -> Caller:
    return call_as("Reader")


@pytest.fixture(scope="module")
def anonymous(channel: grpc.Channel) -> Caller:
    return Caller(channel, None)


@pytest.fixture
def store(sim: RunningSimulator) -> Store:
    """What the server holds, to look at and to set the scene."""
    return sim.store


_numbers = itertools.count()


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"t{next(_numbers)}"
