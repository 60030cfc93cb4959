"""What every test may ask for: one simulator per test process, and clients of it."""

from __future__ import annotations

import errno
import functools
import gc
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest

from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.store import Store

pytest_plugins = ["tests.conformance.report"]

LOOPBACK = ("localhost", "127.0.0.1", "::1", "", None)
SPEED = 60.0
FLEET = 24

#: How long an example takes is the machine's business: two cores that others use too are not to fail a test.
hypothesis.settings.register_profile("no deadline", deadline=None)
#: Of a mutant counts that a test fails, not the least example of it, which takes minutes to find.
hypothesis.settings.register_profile(
    "mutation", deadline=None, database=None, phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate)
)
hypothesis.settings.load_profile("no deadline")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put files of slow tests first when workers share the run: the last one would run alone at the end otherwise."""
    if getattr(config.option, "dist", "no") != "no" or hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Collect no garbage while tests are collected: nearly all that is made stays, and each worker makes all of it."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what stays anyway, and from the rest for longer: it takes a tenth of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _nothing_leaves_this_machine() -> Iterator[None]:
    """Made-up issuers are called in tests too; no name server and no other host is to hear of it.

    Unless the environment names a live Omni, which may be anywhere.
    """
    if os.environ.get("OMNI_ENDPOINT"):
        yield
        return
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def without_name_server(host: Any, *arguments: Any, **options: Any) -> Any:
        if (host.decode() if isinstance(host, bytes) else host) not in LOOPBACK:
            options["flags"] = options.get("flags", 0) | socket.AI_NUMERICHOST
        return look_up(host, *arguments, **options)

    def to_this_machine(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] != "localhost" and not ip_address(address[0]).is_loopback:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", without_name_server)
        patch.setattr(socket.socket, "connect", to_this_machine)
        yield


@pytest.fixture(scope="session", autouse=True)
def _certificate_authorities_are_read_once() -> Iterator[None]:
    """httpx reads all of them, 40 ms of computing, for each client, and ``httpx.get`` makes a client for each call."""
    make = httpx.create_ssl_context
    default = functools.cache(make)

    def shared(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
        return default(trust_env=trust_env) if verify is True and cert is None else make(verify, cert, trust_env)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", shared)
        yield


@pytest.fixture(scope="session", autouse=True)
def _applications_without_callers_hold_no_watches() -> Iterator[None]:
    """Each held watch wakes a thread ten times a second: those of ended tests would take a tenth of a core."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("omni_gateway.cache.informers.IDLE_SECONDS", 15.0)
        yield


@pytest.fixture(scope="session")
def simulator() -> Iterator[RunningSimulator]:
    """A real gRPC server on loopback, in a thread of this process."""
    with running_simulator(fleet=FLEET, speed=SPEED, db=None) as running:
        yield running


@pytest.fixture(scope="session")
def _empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that has its tables and nothing in them: all steps of the migration take 40 ms of computing."""
    file = tmp_path_factory.mktemp("empty") / "store.sqlite"
    store = Store(f"sqlite:///{file}")
    store.wait(60)
    store.close()
    return file


@pytest.fixture
def new_store(_empty_store: Path, tmp_path: Path) -> Iterator[Store]:
    """A store of the test's own in ``tmp_path``."""
    shutil.copy(_empty_store, tmp_path / "store.sqlite")
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    yield store
    store.close()


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., Any]:
    """Call something until it returns a true value, with a deadline; fail with the last value.

    The deadline is for a machine on which much else runs: a test that passes never waits so long.
    """

    def wait(condition: Callable[[], Any], seconds: float = 60.0, what: str = "the condition") -> Any:
        if os.environ.get("MUTANT_UNDER_TEST"):  # mutmut's: many mutants never do what is waited for
            seconds = min(seconds, 4.0)
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
