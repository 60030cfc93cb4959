"""``omni-gateway serve`` under a service manager: a socket that is passed to it, and notifications of its state."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest

from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.stubs import simulator_faults_pb2 as faults_pb

# A start computes for seconds, and a busy machine has other things to do.
pytestmark = pytest.mark.timeout(600)

SECONDS = 240.0
AWAY = faults_pb.Rule(method="*", error=faults_pb.Error(code=grpc.StatusCode.UNAVAILABLE.value[0], message="away"))
KEPT = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI", "SIDERO"))}
#: What a service manager does between its fork and its exec: the socket becomes the descriptor 3.
PASS_SOCKET = """
import os, sys
passed, *command = sys.argv[1:]
os.dup2(int(passed), 3)
os.execvpe(command[0], command, os.environ | {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})
"""
SERVE = [sys.executable, "-m", "omni_gateway.cli", "serve"]


def start(listening: socket.socket, folder: Path, **environ: str) -> subprocess.Popen[bytes]:
    """Start ``serve`` with a socket that listens; it writes to the file ``log``."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", PASS_SOCKET, str(listening.fileno()), *SERVE],
            env=KEPT | {"OMNI_GATEWAY_STATE_DIR": str(folder), "OMNI_GATEWAY_WORKERS": "1"} | environ,
            pass_fds=[listening.fileno()],
            stderr=log,
        )


@pytest.fixture(scope="module")
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield opened


@dataclass
class Manager:
    """The service manager's side: where notifications arrive, and the service."""

    notified: socket.socket
    process: subprocess.Popen[bytes]

    def next(self) -> str:
        """Wait for a notification and return its first line."""
        return self.notified.recv(4096).decode().splitlines()[0]

    def has_next(self) -> bool:
        readable, _, _ = select.select([self.notified], [], [], 0)
        return bool(readable)


@pytest.fixture(scope="module")
def manager(
    listening: socket.socket, simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Manager]:
    """A service whose Omni is away."""
    folder = tmp_path_factory.mktemp("service")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(folder / "notify"))
        notified.settimeout(SECONDS)
        environ = {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "OMNI_ENDPOINT": simulator.endpoint,
            "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
        }
        with simulator.faults.during(AWAY), start(listening, folder, **environ) as process:
            yield Manager(notified, process)
            process.kill()


@pytest.fixture
def api(manager: Manager, listening: socket.socket) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=SECONDS) as client:
        yield client


# The tests below are one life of a service, in this order.


def test_requests_to_the_passed_socket_are_answered_before_the_service_is_ready(
    manager: Manager, api: httpx.Client
) -> None:
    assert api.get("/readyz").status_code == 503  # waits in the socket's queue until there is a worker
    assert not manager.has_next()


def test_ready_is_notified_once_omni_has_answered(
    manager: Manager, api: httpx.Client, simulator: RunningSimulator
) -> None:
    simulator.faults.clear()
    assert manager.next() == "READY=1"
    assert api.get("/readyz").status_code == 200


def test_a_reload_is_notified_and_so_is_its_end(manager: Manager, api: httpx.Client) -> None:
    manager.process.send_signal(signal.SIGHUP)
    assert [manager.next(), manager.next()] == ["RELOADING=1", "READY=1"]
    assert api.get("/readyz").status_code == 200


def test_a_stop_is_notified_and_leaves_the_socket_open(manager: Manager, listening: socket.socket) -> None:
    manager.process.send_signal(signal.SIGTERM)
    assert manager.next() == "STOPPING=1"
    assert manager.process.wait(SECONDS) == 0
    socket.create_connection(listening.getsockname(), timeout=SECONDS).close()  # the next start answers it


def test_a_passed_socket_beyond_loopback_is_refused_without_authentication(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        _, port = everywhere.getsockname()
        process = start(everywhere, tmp_path, OMNI_GATEWAY_AUTH="off")
        assert process.wait(SECONDS) == 1
    assert f"0.0.0.0:{port} is not on loopback" in (tmp_path / "log").read_text()
