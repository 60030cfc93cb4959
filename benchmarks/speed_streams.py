"""Many watchers of one type: how many are held, and how soon all of them have got a change."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.processes import Target
from benchmarks.speed_load import NotServedError
from omni_gateway.omni import OmniClient, types

TYPE = types.MACHINE_CLASSES
ID = "bench-watched"
PATH = "/api/v1/machineclasses"
#: Refusals one after the other after which no more watchers are tried: both workers are full.
ENOUGH_REFUSED = 60
PATIENCE_SECONDS = 30.0
_KEPT = 4096


@dataclass
class Watchers:
    """Open streams, read by one thread. ``refused``: how many were answered 503 with ``Retry-After``."""

    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    tails: dict[socket.socket, bytes] = field(default_factory=dict)
    refused: int = 0

    def open(self, target: Target, wanted: int) -> None:
        """Open streams until there are as many as wanted or the gateway takes no more."""
        in_a_row = 0
        who = f"Authorization: Bearer {target.token}\r\n" if target.token else ""
        while len(self.tails) < wanted and in_a_row < ENOUGH_REFUSED:
            connection = socket.create_connection((target.host, target.port), timeout=PATIENCE_SECONDS)
            connection.sendall(
                f"GET {PATH} HTTP/1.1\r\nHost: {target.host}\r\nAccept: text/event-stream\r\n{who}\r\n".encode()
            )
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := connection.recv(65536)):
                    raise NotServedError("a stream was not answered")
                head += piece
            if head.startswith(b"HTTP/1.1 200") and b"text/event-stream" in head:
                in_a_row = 0
                connection.setblocking(False)
                self.tails[connection] = b""
                self.selector.register(connection, selectors.EVENT_READ)
                continue
            in_a_row += 1
            connection.close()
            if not head.startswith(b"HTTP/1.1 503") or b"retry-after:" not in head.lower():
                raise NotServedError(f"a stream was answered {head.decode(errors='replace').splitlines()[0]}")
            self.refused += 1

    def read(self, mark: bytes, seconds: float = PATIENCE_SECONDS) -> int:
        """Read until all have got ``mark``; return how many have not in that time."""
        missing, end = set(self.tails), time.monotonic() + seconds
        while missing and time.monotonic() < end:
            for key, _ in self.selector.select(0.5):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                piece = connection.recv(262144)
                if not piece:
                    raise NotServedError("a stream has ended")
                text = self.tails[connection] + piece
                if mark in text:
                    missing.discard(connection)
                self.tails[connection] = text[-_KEPT:]
        return len(missing)

    def close(self) -> None:
        """Leave."""
        for connection in self.tails:
            connection.close()
        self.selector.close()


@contextmanager
def watchers(target: Target, omni: OmniClient, wanted: int) -> Iterator[Watchers]:
    """Watch a type of one object."""
    omni.resources.create(TYPE, ID, {"match_labels": ["omni.sidero.dev/platform = metal"]})
    opened = Watchers()
    try:
        opened.open(target, wanted)
        yield opened
    finally:
        opened.close()
        omni.resources.remove(TYPE, ID)


def change(omni: OmniClient, mark: str) -> None:
    """Change the object."""
    metadata = {"namespace": "default", "type": TYPE, "id": ID, "annotations": {"bench-mark": mark}}
    spec = {"match_labels": ["omni.sidero.dev/platform = metal"]}
    omni.resources.update({"metadata": metadata, "spec": spec}, version=None)


def fan_out(opened: Watchers, omni: OmniClient, changes: int) -> tuple[list[float], int]:
    """Change the object; return the seconds until all had each change, and how many changes some did not get."""
    seconds, missed = [], 0
    for number in range(changes):
        mark = f"mark{number}-{time.monotonic_ns()}"
        start = time.perf_counter()
        change(omni, mark)
        missed += opened.read(mark.encode())
        seconds.append(time.perf_counter() - start)
    return seconds, missed


@contextmanager
def busy(opened: Watchers, omni: OmniClient, per_second: float) -> Iterator[None]:
    """Go on changing and reading in a thread."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(1 / per_second):
            mark = f"busy-{time.monotonic_ns()}"
            change(omni, mark)
            opened.read(mark.encode(), 5.0)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
