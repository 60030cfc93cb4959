"""Forks: a client made, or even used, before gunicorn forks works in every worker and goes on in the parent.

A fork while another thread is inside a gRPC call is not among these: gRPC itself skips its fork handlers then, and
gunicorn forks before any request is served.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from omni_gateway.omni import rpcs
from omni_gateway.stubs import resources_pb2 as pb
from tests.omni_client.scripted_omni import ScriptedOmni, TestKey

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("forking_program.py")
CHILDREN = 3


@pytest.mark.parametrize("before", ["nothing", "a call", "holding the lock", "multiprocessing"])
def test_a_client_from_before_the_fork_works_in_each_child_and_in_the_parent(
    scripted: ScriptedOmni, key: TestKey, tmp_path: Path, before: str
) -> None:
    scripted.answer(rpcs.GET, pb.GetResponse(body='{"metadata": {"id": "c1"}}'))

    (tmp_path / "key").write_text(key.text)
    command = [sys.executable, str(PROGRAM), f"http://127.0.0.1:{scripted.port}", str(tmp_path / "key"), before]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    reads = scripted.calls(rpcs.GET)
    parents = 1 if before == "nothing" else 2
    children = CHILDREN + (1 if before == "multiprocessing" else 0)
    assert len(reads) == parents + children
    assert len({asked.peer for asked in reads}) == children + 1, "each process has a connection of its own"


@pytest.mark.parametrize("preload", [(), ("--preload",)], ids=["each worker imports", "preloaded"])
def test_gunicorns_workers_share_nothing_but_the_client_object(
    scripted: ScriptedOmni, key: TestKey, tmp_path: Path, preload: tuple[str, ...]
) -> None:
    scripted.answer(rpcs.GET, pb.GetResponse(body="{}"))
    endpoint = f"http://127.0.0.1:{scripted.port}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environ = {**os.environ, "OMNI_ENDPOINT": endpoint, "SIDERO_SERVICE_ACCOUNT_KEY": key.text}
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--no-control-socket",
            "-w",
            "2",
            "-b",
            f"fd://{listener.fileno()}",
        ]
        server = subprocess.Popen(
            [*command, *preload, "--chdir", str(PROGRAM.parent), "gunicorn_reader:application"],
            env=environ,
            cwd=tmp_path,  # where no gunicorn.conf.py is
            pass_fds=[listener.fileno()],
            stderr=subprocess.DEVNULL,
        )
        try:
            answered = {httpx.get(url, timeout=30).text for _ in range(20)}
        finally:
            server.terminate()
            server.wait(30)
    assert len({asked.peer for asked in scripted.calls(rpcs.GET)}) == len(answered)
    assert str(server.pid) not in answered


def test_importing_and_making_a_client_opens_nothing(scripted: ScriptedOmni, key: TestKey) -> None:
    program = (
        "import os, sys; from omni_gateway.omni import OmniClient, OmniConfig;"
        "client = OmniClient(OmniConfig(sys.argv[1], sys.argv[2]));"
        "sockets = [os.readlink(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd') if int(fd) > 2"
        " and os.path.exists(f'/proc/self/fd/{fd}')];"
        "sys.exit(any(name.startswith('socket') for name in sockets))"
    )
    command = [sys.executable, "-c", program, f"http://127.0.0.1:{scripted.port}", key.text]
    assert subprocess.run(command, timeout=60).returncode == 0
