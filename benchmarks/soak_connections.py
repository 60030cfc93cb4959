"""Kept connections to a gateway: each is one worker's for as long as it lasts, and the kernel knows which one's."""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from benchmarks.processes import Target
from benchmarks.speed_load import workers

PATIENCE_SECONDS = 60.0
MOST_TRIED = 200


@dataclass(frozen=True)
class Answer:
    """What came back, and when (monotonic) it was asked for and there."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    asked: float
    came: float

    @property
    def hit(self) -> bool:
        """Whether it came from the gateway's cache."""
        return self.headers.get("cache-status", "").endswith("; hit")

    def json(self) -> Any:
        """Return the body, parsed."""
        return orjson.loads(self.body)


class Connection:
    """One kept connection; what breaks is raised as ``OSError`` or ``http.client.HTTPException``."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._http = http.client.HTTPConnection(target.host, target.port, timeout=PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._http.close()

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Answer:
        """Send a request, of a path below ``/api/v1/`` or a whole one, and read the whole answer."""
        sent = {"Authorization": f"Bearer {self._target.token}"} | dict(headers or {})
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        asked = time.monotonic()
        self._http.request(
            method,
            path if path.startswith("/") else f"/api/v1/{path}",
            None if body is None else orjson.dumps(body),
            sent,
        )
        response = self._http.getresponse()
        read = response.read()
        lower = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, lower, read, asked, time.monotonic())

    @property
    def worker(self) -> int:
        """Return the process that holds the other end; LookupError when none of the workers does (any more)."""
        if self._http.sock is None:
            raise LookupError("there is no connection")
        inode = _inode(self._target.port, self._http.sock.getsockname()[1])
        for pid in workers(self._target):
            if any(name == f"socket:[{inode}]" for name in descriptors(pid)):
                return pid
        raise LookupError("no worker holds the connection")


def _inode(here: int, there: int) -> str:
    """Return the inode of the accepted socket between two ports of loopback."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if (int(fields[1][-4:], 16), int(fields[2][-4:], 16)) == (here, there):
            return fields[9]
    raise LookupError(f"no connection from port {there} to {here}")


def descriptors(pid: int) -> list[str]:
    """Return what each open file of a process is."""
    found = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            found.append(str(each.readlink()))
    return found


def connection_to(target: Target, worker: int) -> Connection:
    """Return a connection that a worker holds; RuntimeError when it takes none of many."""
    others: list[Connection] = []
    try:
        while len(others) < MOST_TRIED:
            connection = Connection(target)
            connection.ask("GET", "clusters?page_size=1")
            if connection.worker == worker:
                return connection
            others.append(connection)  # kept open, so that the other worker has more to do than this one
    finally:
        for each in others:
            each.close()
    raise RuntimeError(f"worker {worker} took none of {MOST_TRIED} connections")
