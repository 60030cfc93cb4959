"""Read a watch with a deadline: a stream that lacks an event must fail a test, not stop it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

NDJSON = "application/x-ndjson"
SECONDS = 20.0


class EventStream:
    """The events of an open watch (NDJSON), without heartbeats.

    A read blocks until the stream sends something. The gateway's heartbeats bound that: at one that comes after the
    deadline the read fails.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def next(self, seconds: float = SECONDS) -> dict[str, Any]:
        """Return the next event. Raises ``AssertionError`` if none comes within ``seconds``, or the stream ends."""
        deadline = time.monotonic() + seconds
        for line in self._lines:
            event = json.loads(line) if line else {"type": "HEARTBEAT"}
            if event["type"] != "HEARTBEAT":
                return dict(event)
            assert time.monotonic() < deadline, f"the watch sent no event within {seconds} s"
        raise AssertionError("the watch ended")

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
                event = self.next(deadline - time.monotonic())
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
