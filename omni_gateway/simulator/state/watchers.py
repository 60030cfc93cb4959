"""Changes handed from writers to those who watch, without a writer ever waiting for a watcher."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from omni_gateway.simulator.errors import Unknown
from omni_gateway.simulator.state.resource import Event, Resource
from omni_gateway.simulator.state.store import Store

LONGEST_QUEUE = 20_000
"""Events that a watcher may be behind; one that is further behind is cut off and has to start again."""

_IDLE_SECONDS = 5.0


@dataclass(eq=False)
class Watcher:
    """The events of one type in one namespace that one caller has not read yet."""

    alive: Callable[[], bool]
    _events: deque[Event] = field(default_factory=deque)
    _ready: threading.Condition = field(default_factory=threading.Condition)
    _closed: bool = False
    _behind: bool = False

    def offer(self, event: Event) -> None:
        """Put an event in the queue; a full queue ends the watch instead."""
        with self._ready:
            if len(self._events) >= LONGEST_QUEUE:
                self._behind = True
            else:
                self._events.append(event)
            self._ready.notify()

    def close(self) -> None:
        """End the iteration, from any thread."""
        with self._ready:
            self._closed = True
            self._ready.notify()

    def __iter__(self) -> Iterator[Event]:
        """Yield events as they come, until closed; :class:`Unknown` when the watcher fell behind."""
        while True:
            batch = self._take()
            if batch is None:
                return
            yield from batch

    def _take(self) -> list[Event] | None:
        with self._ready:
            while not (self._events or self._behind or self._closed):
                if not self._ready.wait(_IDLE_SECONDS) and not self.alive():
                    return None
            if self._behind:
                raise Unknown("the watch fell too far behind and was cut off")
            if self._closed:
                return None
            batch = list(self._events)
            self._events.clear()
            return batch


class Watchers:
    """All watchers of a store, behind one subscription."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watchers: dict[tuple[str, str], list[Watcher]] = {}
        self._closed = False
        self._stop = store.subscribe(self._on_event)

    def follow(self, namespace: str, type_: str, alive: Callable[[], bool]) -> tuple[Watcher, tuple[Resource, ...]]:
        """Start a watch; also return the present objects: the watcher's events begin right after them."""
        watcher = Watcher(alive)
        with self._store.lock:
            self._watchers.setdefault((namespace, type_), []).append(watcher)
            if self._closed:  # a call that was let in just before the end
                watcher.close()
            return watcher, tuple(self._store.view(namespace, type_))

    def leave(self, namespace: str, type_: str, watcher: Watcher) -> None:
        """Stop watching."""
        with self._store.lock:
            watchers = self._watchers.get((namespace, type_), [])
            if watcher in watchers:
                watchers.remove(watcher)
        watcher.close()

    def close(self) -> None:
        """End every watch."""
        self._stop()
        with self._store.lock:
            self._closed = True
            for watchers in self._watchers.values():
                for watcher in watchers:
                    watcher.close()

    def _on_event(self, event: Event) -> None:
        for watcher in self._watchers.get((event.new.namespace, event.new.type), ()):
            watcher.offer(event)
