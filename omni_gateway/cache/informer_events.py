"""Events of several informers in one queue, and the informers' objects as of the last event that was taken from it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import grpc

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.informer import Informer, InformerEvent
from omni_gateway.omni.errors import Unavailable
from omni_gateway.omni.selectors import Selector

#: Events that wait, at most; with one more the queue ends.
LONGEST_QUEUE = 20_000
_FAR_BEHIND = "the watch fell too far behind and was cut off"
_CLOSED = "the type is not followed any more"


def _ended_because(why: str) -> Unavailable:
    return Unavailable(grpc.StatusCode.UNAVAILABLE, why, "omni.resources.ResourceService/Watch")


def too_far_behind() -> Unavailable:
    """Return the error that ends the watch of a reader whose queue is full."""
    return _ended_because(_FAR_BEHIND)


class InformerEvents:
    """A bounded queue of events, in the order in which the informers applied them.

    ``wake`` is called for each event and at the end, by any thread and with an informer's lock held, so it must not
    block. One thread at a time takes events and reads objects.

    The informers go on while events wait here. Yet the objects are read as they were after the last event that was
    taken, so that each event is seen with the state that belongs to it: where events of an object wait, the version
    from before the first of these is returned. After the end all methods but :meth:`close` raise ``Unavailable``.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        # Guards the fields below. Taken inside of an informer's lock (events are delivered under that), so no informer
        # is called while it is held.
        self._lock = threading.Lock()
        self._events: deque[tuple[str, InformerEvent]] = deque()
        #: By type and id, the version before each event that waits.
        self._versions_before: dict[str, dict[str, deque[CachedObject | None]]] = {}
        self._ended = ""
        self._informers: dict[str, Informer] = {}
        self._unfollow: list[Callable[[], None]] = []

    def follow(self, informer: Informer, *, events: bool = True) -> bool:
        """Follow an informer from now on; without ``events`` only its objects can be read, and its end ends the queue.

        Returns False while the informer is not ready. An informer that is followed is not evicted as idle.
        """
        self._versions_before[informer.name] = {}
        unfollow = informer.follow(partial(self._on_event if events else self._on_lookup_event, informer.name))
        if unfollow is None:
            return False
        self._informers[informer.name] = informer
        self._unfollow.append(unfollow)
        return True

    def take(self) -> tuple[str, InformerEvent] | None:
        """Return the next event and its type; None if there is none at present."""
        with self._lock:
            self._raise_if_ended()
            if not self._events:
                return None
            type, event = self._events.popleft()
            id = event[1].id
            versions = self._versions_before[type][id]
            versions.popleft()
            if not versions:
                del self._versions_before[type][id]
            return type, event

    def find(self, type: str, id: str) -> CachedObject | None:
        """Return an object as of the last event that was taken; None if there was none."""
        # In this order: an event between the two reads has the object of the first read as its previous version.
        _, item = self._informers[type].find(id)
        with self._lock:
            self._raise_if_ended()
            versions = self._versions_before[type].get(id)
            return versions[0] if versions else item

    def items(self, type: str, selector: Selector | None = None) -> Sequence[CachedObject]:
        """Return the objects that a selector matches (all without one), ordered by id, as of the last taken event."""
        items = self._informers[type].items(selector)
        with self._lock:
            self._raise_if_ended()
            changed = {id: versions[0] for id, versions in self._versions_before[type].items()}
        if not changed:
            return items
        unchanged = [item for item in items if item.id not in changed]
        earlier = (item for item in changed.values() if item is not None)
        matching = [item for item in earlier if selector is None or selector.matches(item.labels)]
        return sorted([*unchanged, *matching], key=lambda item: item.id)

    def close(self) -> None:
        """Follow no informer any more."""
        for unfollow in self._unfollow:
            unfollow()

    def _on_event(self, type: str, event: InformerEvent | None) -> None:
        """Queue an event; called under the informer's lock. None: the informer was closed."""
        with self._lock:
            if self._ended:
                return
            if event is None:
                self._end(_CLOSED)
            elif len(self._events) >= LONGEST_QUEUE:
                # A gap would be worse than an end: events that were left out could not be noticed.
                self._end(_FAR_BEHIND)
            else:
                self._events.append((type, event))
                self._versions_before[type].setdefault(event[1].id, deque()).append(event[2])
        self._wake()

    def _on_lookup_event(self, type: str, event: InformerEvent | None) -> None:
        if event is None:
            self._on_event(type, None)

    def _end(self, why: str) -> None:
        # A closed informer has no objects any more, so events that wait cannot be seen with their state.
        self._events.clear()
        for versions in self._versions_before.values():
            versions.clear()
        self._ended = why

    def _raise_if_ended(self) -> None:
        if self._ended:
            raise _ended_because(self._ended)
