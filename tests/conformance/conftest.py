"""Which Omni the cases run against: a simulator of this process, or the one that the environment names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from omni_gateway.omni.channel import open_channel
from omni_gateway.omni.config import MIB, OmniConfig
from omni_gateway.simulator.embedded import running_simulator
from tests.conformance.report import OMNI
from tests.conformance.world import Server, World

FLEET = 8
SPEED = 60.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here is a conformance case and may run against a live Omni."""
    folder = str(Path(__file__).parent) + os.sep
    for item in items:
        if str(item.path).startswith(folder):
            item.add_marker(pytest.mark.conformance)
            item.add_marker(pytest.mark.live)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The Omni under test; whatever the cases made is gone when the session ends, or that is an error."""
    simulated = not os.environ.get("OMNI_ENDPOINT")
    with ExitStack() as stack:
        if simulated:
            # One of the suite's own: what a case holds by a finalizer stays there, as it would at a real Omni.
            simulator = stack.enter_context(running_simulator(fleet=FLEET, speed=SPEED))
            config = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
        else:
            config = OmniConfig.from_environ()
        channel = stack.enter_context(open_channel(config, config.trust_roots()))
        large = replace(config, max_message_bytes=64 * MIB)
        server = Server(
            channel, config.service_account_key, simulated, lambda: open_channel(large, config.trust_roots())
        )
        request.config.stash[OMNI] = f"{'the simulator as' if simulated else 'Omni'} {server.backend}"
        yield server
        server.close()


@pytest.fixture
def omni(server: Server) -> Iterator[World]:
    """The Omni under test, for one case."""
    world = World(server)
    yield world
    world.close()


@pytest.fixture(scope="module")
def shared(server: Server) -> Iterator[World]:
    """The Omni under test, for what the cases of a module share."""
    world = World(server)
    yield world
    world.close()


@pytest.fixture(autouse=True)
def _can_be_tried_here(request: pytest.FixtureRequest, server: Server) -> None:
    """Skip, by name, what this Omni is too old for, has no machines for, or would be left dirty by."""
    for mark in request.node.iter_markers("needs_omni"):
        if not server.is_at_least(mark.args[0]):
            pytest.skip(f"tells of Omni {mark.args[0]}, this is {server.backend}")
    for mark in request.node.iter_markers("needs_machines"):
        wanted = mark.args[0] if mark.args else 1
        found = len(server.free_machines())
        if found < wanted:
            pytest.skip(f"needs {wanted} free machines, this Omni has {found}")
    if request.node.get_closest_marker("leaves_traces") and not server.simulated:
        pytest.skip("leaves an object behind that nobody can remove: for the simulator only")


@pytest.fixture(scope="module")
def cluster(shared: World) -> str:
    """A cluster without machines that no case of the module changes."""
    return shared.settled_cluster()
