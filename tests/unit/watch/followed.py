"""An informer whose watch sends what a test says."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from omni_gateway.cache.informer import Informer
from omni_gateway.omni.watch import RawEvent, WatchKind

Wait = Callable[..., Any]


def text_of(type: str, id: str, version: int = 1, labels: dict[str, str] | None = None, **spec: Any) -> str:
    """Return an object as Omni writes it."""
    metadata = {"type": type, "id": id, "namespace": "default", "version": version, "created": "2026-01-01T00:00:00Z"}
    return orjson.dumps({"metadata": {**metadata, "labels": labels or {}}, "spec": spec}).decode()


class _Watch:
    def __init__(self) -> None:
        self.events: queue.SimpleQueue[RawEvent | None] = queue.SimpleQueue()
        self.cancelled = False

    def __iter__(self) -> Iterator[RawEvent]:
        while (event := self.events.get()) is not None:
            yield event

    def cancel(self) -> None:
        self.cancelled = True
        self.events.put(None)


class Followed:
    """A type's informer, ready with the objects of ``ids``; each change is in it when the method returns."""

    def __init__(self, wait_until: Wait, type: str, *ids: str) -> None:
        self.type = type
        self._wait_until = wait_until
        self._watch = _Watch()
        self._versions: dict[str, int] = {}
        self.informer = Informer(type, "default", lambda: self._watch)
        for id in ids:
            self._send("created", id)
        self._watch.events.put(("bootstrapped", ""))
        self.informer.start()
        wait_until(lambda: self.informer.ready)

    def put(self, id: str, labels: dict[str, str] | None = None, **spec: Any) -> None:
        """Create an object, or update it."""
        version = self._send("updated" if id in self._versions else "created", id, labels, **spec)
        self._wait_until(lambda: (item := self.informer.find(id)[1]) is not None and item.version == version)

    def remove(self, id: str) -> None:
        """Destroy an object."""
        self._watch.events.put(("destroyed", text_of(self.type, id, self._versions.pop(id))))
        self._wait_until(lambda: self.informer.find(id)[1] is None)

    def _send(self, kind: WatchKind, id: str, labels: dict[str, str] | None = None, **spec: Any) -> int:
        version = self._versions[id] = self._versions.get(id, 0) + 1
        self._watch.events.put((kind, text_of(self.type, id, version, labels, **spec)))
        return version
