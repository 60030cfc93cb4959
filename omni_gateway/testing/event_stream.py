"""Read a watch with deadlines: a stream that lacks an event must fail a test, not stop it."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import httpx

NDJSON = "application/x-ndjson"
SECONDS = 10.0


class EventStream:
    """The events of an open watch (NDJSON), without heartbeats."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        Thread(target=self._read, name="kit-watch", daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self._response.iter_lines():
                if line and '"HEARTBEAT"' not in line:
                    self._events.put(json.loads(line))
        except (httpx.HTTPError, RuntimeError, ValueError):
            pass  # closed by the test
        finally:
            self._events.put(None)

    def next(self, seconds: float = SECONDS) -> dict[str, Any]:
        """Return the next event. Raises ``AssertionError`` if none comes within ``seconds``, or the stream ends."""
        try:
            event = self._events.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"the watch sent no event within {seconds} s") from None
        assert event is not None, "the watch ended"
        return event

    def initial(self, seconds: float = SECONDS) -> tuple[list[dict[str, Any]], str]:
        """Return the objects that the watch begins with, and the resume point of the bookmark after them."""
        objects = []
        while (event := self.next(seconds))["type"] != "BOOKMARK":
            objects.append(event["object"])
        return objects, event["object"]["resume_point"]

    def until(self, matches: Callable[[dict[str, Any]], bool], seconds: float = SECONDS) -> dict[str, Any]:
        """Return the first event that matches. Raises ``AssertionError`` with those that came instead."""
        deadline, others = time.monotonic() + seconds, []
        while time.monotonic() < deadline:
            try:
                event = self.next(max(0.01, deadline - time.monotonic()))
            except AssertionError:
                break
            if matches(event):
                return event
            others.append((event["type"], event.get("object", {}).get("id")))
        raise AssertionError(f"the event did not come within {seconds} s; these came: {others[-20:]}")


@contextmanager
def watching(client: httpx.Client, url: str, **headers: str) -> Iterator[EventStream]:
    """Open a watch; ``Last_Event_ID="…"`` is a header. Raises ``AssertionError`` where it is refused."""
    sent = {"Accept": NDJSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
    with client.stream("GET", url, headers=sent) as response:
        if response.status_code != 200:
            raise AssertionError(f"the watch of {url} answered {response.status_code} {response.read()[:300]!r}")
        yield EventStream(response)
