"""Servers of Debian's packages (`make services`): each test starts its own, on loopback, in a folder of its own."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import proxy
from omni_gateway.simulator.embedded import RunningSimulator
from tests.e2e.conftest import Served, free_port, start_gateway, stop_gateway
from tests.services.postgres import PostgreSQL, binaries, running_postgresql

REDIS = shutil.which("redis-server")
START_SECONDS = 30.0

needs_redis = pytest.mark.skipif(REDIS is None, reason="redis-server is missing: `make services` installs it")
needs_nginx = pytest.mark.skipif(proxy.BINARY is None, reason="nginx is missing: `make services` installs it")


class Redis:
    """A Redis that can be stopped and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert REDIS is not None
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen([REDIS, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("redis-server did not start")

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)
            self._process = None


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def serve(simulator: RunningSimulator, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start gateways under gunicorn; all of them share one store, as replicas do."""
    started: list[Served] = []

    def start(**environ: str) -> Served:
        omni = {"OMNI_ENDPOINT": simulator.endpoint, "OMNI_SERVICE_ACCOUNT_KEY": simulator.key}
        started.append(start_gateway(tmp_path, omni | environ))
        return started[-1]

    yield start
    for running in started:
        stop_gateway(running)


@contextmanager
def before(*served: Served, tls: bool = False) -> Iterator[int]:
    """Put nginx before gateways; yields nginx's port."""
    with proxy.nginx(*(int(each.url.rpartition(":")[2]) for each in served), tls=tls) as port:
        yield port


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of this test run's own."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is missing: `make services` installs it")
    pytest.importorskip("psycopg")
    with running_postgresql(programs) as server:
        yield server


@pytest.fixture
def database(postgresql: PostgreSQL) -> Callable[[str], str]:
    """Make empty databases by name."""
    return postgresql.create
