"""A server under test, and raw sockets to speak to it as badly as one likes."""

from __future__ import annotations

import http.client
import io
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

DEADLINE = 30.0
#: Imports take their time on a busy machine.
START_SECONDS = 90.0


class _Kept(io.BufferedReader):
    """What has been read ahead belongs to the next answer, so the end of one does not close it."""

    def close(self) -> None:
        self.flush()

    def makefile(self, mode: str) -> _Kept:
        return self


class Raw:
    """A connection that sends bytes as they are."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(("127.0.0.1", port))
        self._answers = _Kept(self.socket.makefile("rb", buffering=0))  # type: ignore[arg-type]

    def send(self, data: bytes) -> Raw:
        self.socket.sendall(data)
        return self

    def answer(self) -> http.client.HTTPResponse:
        """Read one answer, its body included."""
        response = http.client.HTTPResponse(self._answers)  # type: ignore[arg-type]
        response.begin()
        response.text = response.read().decode()  # type: ignore[attr-defined]
        return response

    def text(self) -> str:
        return str(self.answer().text)  # type: ignore[attr-defined]

    def problem(self) -> tuple[int, str]:
        """Read one answer that has to be a problem document."""
        answer = self.answer()
        assert answer.headers["Content-Type"] == "application/problem+json"
        return answer.status, json.loads(answer.text)["code"]  # type: ignore[attr-defined]

    def ended(self) -> bool:
        """Whether the server has closed the connection, having said no more."""
        try:
            return self._answers.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self._answers.raw.close()  # a socket lives for as long as a file that was made of it
        self.socket.close()


class Server:
    """A running server."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.port = port
        self.process = process
        self.log = log
        self._open: list[Raw] = []

    def connect(self, **options: Any) -> Raw:
        connection = Raw(self.port, **options)
        self._open.append(connection)
        return connection

    def get(self, path: str = "/", timeout: float = DEADLINE) -> str:
        """Ask as an honest client over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def stop(self) -> None:
        for connection in self._open:
            connection.close()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Start servers with settings; they end with the module."""
    servers: list[Server] = []

    def run(files: int | None = None, **settings: Any) -> Server:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        given = [f"OMNI_GATEWAY_{name.upper()}={value}" for name, value in {"drain": 0, **settings}.items()]
        bounded = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "-"] if files else []
        log = tmp_path_factory.mktemp("server") / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*bounded, sys.executable, "-m", "tests.server.echo", str(port), *given], stdout=out, stderr=out
            )
        server = Server(port, process, log)
        servers.append(server)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return server
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"the server did not start:\n{log.read_text()}")

    yield run
    for server in servers:
        server.stop()
