"""Watches during a soak: some are kept from the first minute to the last and must have got everything."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from benchmarks.processes import Target
from benchmarks.soak_checks import QUICK, Ledger, Seen, written
from benchmarks.soak_connections import Answer

#: Above the heartbeat of 10 seconds.
SILENT_SECONDS = 30.0
RECONNECT_SECONDS = 0.5


class Stream:
    """One open stream of Server-Sent Events."""

    def __init__(self, target: Target, path: str, resume: str = "") -> None:
        self._http = http.client.HTTPConnection(target.host, target.port, timeout=SILENT_SECONDS)
        headers = {"Authorization": f"Bearer {target.token}", "Accept": "text/event-stream"}
        asked = time.monotonic()
        self._http.request("GET", f"/api/v1/{path}", headers=headers | ({"Last-Event-ID": resume} if resume else {}))
        self._socket = self._http.sock
        self._response = self._http.getresponse()
        body = b"" if self._response.status == 200 else self._response.read()
        lower = {name.lower(): value for name, value in self._response.getheaders()}
        self.answer = Answer(self._response.status, lower, body, asked, time.monotonic())

    def events(self) -> Iterator[tuple[str, str, Any]]:
        """Iterate over type, resume point and document."""
        fields: dict[str, str] = {}
        while line := self._response.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "event" in fields:
                yield fields["event"], fields.get("id", ""), json.loads(fields["data"])
                fields = {}

    def close(self) -> None:
        """Leave; from any thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._response.close()
        self._http.close()


class KeptWatch:
    """Follows one collection from beginning to end, opened anew when it breaks, and keeps what it was told."""

    def __init__(self, target: Target, ledger: Ledger, path: str, seed: int) -> None:
        self._target, self._ledger, self.path = target, ledger, path
        self._dice = random.Random(seed)
        self._stop = threading.Event()
        self._stream: Stream | None = None
        self._resume = ""
        self.open = False
        self.objects: dict[str, int] = {}
        self.opened = self.events = 0
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"kept {path}")
        self._thread.start()

    def close(self) -> None:
        """Leave."""
        self._stop.set()
        if (stream := self._stream) is not None:
            with suppress(OSError):
                stream._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (OSError, http.client.HTTPException) as error:
                if not self._stop.is_set():
                    self._ledger.found("a kept watch broke off", f"{self.path}: {error!r}")
            self.open = False
            self._stop.wait(RECONNECT_SECONDS)

    def _follow(self) -> None:
        resume = self._resume if self._dice.random() < 0.5 else ""
        self._stream = stream = Stream(self._target, self.path, resume)
        try:
            if not self._ledger.count(f"kept watch of {self.path}", stream.answer, (200, 410)):
                return
            if stream.answer.status == 410:
                self._resume = ""
                return
            self.opened += 1
            if not resume:
                self.objects = {}
            # Until the bookmark comes, what is held is neither what the last point stands for nor anything whole.
            self._resume = ""
            seen = Seen()
            for type, point, document in stream.events():
                self._resume = point or self._resume
                self.events += 1
                if not self._take(type, document, seen, stream.answer.asked):
                    return
        finally:
            stream.close()

    def _take(self, type: str, document: Any, seen: Seen, opened: float) -> bool:
        """Take an event; False when it is the last one. A fault while the stream was ``opened`` excuses its end."""
        if type == "BOOKMARK":
            self.open = True
        elif type == "ERROR":
            status = int(document.get("status", 0))
            answer = Answer(status, {}, json.dumps(document).encode(), opened, time.monotonic())
            self._ledger.count("end of a kept watch", answer, (410,))
            self._resume = "" if status == 410 else self._resume
            return False
        elif type == "DELETED":
            self.objects.pop(document["id"], None)
            seen.absent(self.path, document["id"])
        else:
            self.objects[document["id"]] = document["metadata"]["version"]
            number = written(document)
            if number is None or document["id"].startswith(QUICK):
                return True
            if text := seen.shown(self.path, document["id"], number):
                self._ledger.found("a watch went back in time", text)
        return True


def glance(target: Target, ledger: Ledger, path: str, seconds: float) -> None:
    """Open a watch, read it to its bookmark and a little beyond, and leave."""
    stream = Stream(target, path)
    timer = threading.Timer(seconds, stream.close)
    try:
        # 429: left streams are noticed at their next heartbeat, until when they count.
        if not ledger.count("short watch", stream.answer, (200, 429)) or stream.answer.status == 429:
            return
        timer.start()
        with suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            for _ in stream.events():
                pass
    finally:
        timer.cancel()
        stream.close()
