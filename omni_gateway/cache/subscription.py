"""A watch of one caller, fed by the one that the process holds: it looks like a watch of Omni's own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import grpc

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.informer import Informer, InformerEvent
from omni_gateway.omni.errors import Unavailable
from omni_gateway.omni.selectors import Selector
from omni_gateway.omni.streams import Endless
from omni_gateway.omni.watch import WatchKind

#: Events that a caller may be behind; one that is further behind is cut off, and goes on from its resume point.
LONGEST_QUEUE = 20_000


@dataclass(frozen=True, slots=True)
class CachedObjectEvent:
    """One change, as ``WatchEvent``; ``item`` is the object that all watchers share. ``idle``: there is none now."""

    kind: WatchKind | Literal["idle"]
    item: CachedObject | None = None

    @property
    def resource(self) -> dict[str, Any] | None:
        """Return the object, parsed anew; of a destroyed one: as it was last."""
        return self.item.body() if self.item is not None else None

    @property
    def old(self) -> None:
        """Return nothing: what an object was before is known to whoever watches."""
        return


IDLE = CachedObjectEvent("idle")
_FAR_BEHIND = "the watch fell too far behind and was cut off"


def ended_because(why: str) -> Unavailable:
    """Return what a watch ends with that is fed from here."""
    return Unavailable(grpc.StatusCode.UNAVAILABLE, why, "omni.resources.ResourceService/Watch")


def too_far_behind() -> Unavailable:
    """Return what a watch ends with whose reader is too slow."""
    return ended_because(_FAR_BEHIND)


class Subscription(Endless[CachedObjectEvent]):
    """Iterate over the changes; leaving the ``with`` block, or ``cancel`` from any thread, ends it.

    The iteration waits for the next change, or, once :meth:`told_by` was called, gives :data:`IDLE` instead.
    Raises ``Unavailable`` when the caller fell too far behind, or when the type is not followed any more.
    """

    def __init__(self, id: str = "", selectors: Sequence[Selector] = ()) -> None:
        self._id = id
        self._selectors = selectors
        self._ready = threading.Condition()
        self._events: deque[CachedObjectEvent] = deque()
        self._shown: set[str] = set()
        self._leave: Callable[[], None] | None = None
        self._wake: Callable[[], None] | None = None
        self._ended = ""
        self._cancelled = False

    def told_by(self, wake: Callable[[], None]) -> None:
        """Wait no more: ``wake`` is called, from any thread and under the feed's lock, when there is something new."""
        with self._ready:
            self._wake = wake

    def begin(self, informer: Informer) -> bool:
        """Follow a feed from now on; False when it is not live."""
        begun = informer.follow(self._tell, self._begin)
        if begun is None:
            return False
        self._leave = begun
        return True

    def __next__(self) -> CachedObjectEvent:
        with self._ready:
            while not self._events and not self._cancelled and not self._ended:
                if self._wake is not None:
                    return IDLE
                self._ready.wait()
            if self._cancelled:
                raise StopIteration
            if self._events:
                return self._events.popleft()
        raise ended_because(self._ended)

    def cancel(self) -> None:
        """End it; safe from any thread and more than once."""
        if self._leave is not None:
            self._leave()
        with self._ready:
            self._cancelled = True
            self._events.clear()
            self._rouse()

    def _begin(self, items: Sequence[CachedObject]) -> None:
        """Tell what is there: called once, under the feed's lock."""
        present = [item for item in items if self._wants(item)]
        self._shown = {item.id for item in present}
        events = [*(CachedObjectEvent("created", item) for item in present), CachedObjectEvent("bootstrapped")]
        with self._ready:
            self._events.extend(events)

    def _tell(self, told: InformerEvent | None) -> None:
        """Take a change, under the feed's lock; None: the feed has ended."""
        if told is None:
            self._end("the type is not followed any more")
            return
        event = self._seen(told)
        if event is None:
            return
        with self._ready:
            if len(self._events) >= LONGEST_QUEUE:
                self._events.clear()
                self._ended = _FAR_BEHIND
            else:
                self._events.append(event)
            self._rouse()

    def _seen(self, told: InformerEvent) -> CachedObjectEvent | None:
        """Return what a change is to this caller: an object that its selectors leave has gone, one that enters came."""
        kind, item, _ = told
        known = item.id in self._shown
        if kind == "destroyed" or not self._wants(item):
            self._shown.discard(item.id)
            return CachedObjectEvent("destroyed", item) if known else None
        self._shown.add(item.id)
        return CachedObjectEvent("updated" if known else "created", item)

    def _wants(self, item: CachedObject) -> bool:
        if self._id and item.id != self._id:
            return False
        return not self._selectors or any(selector.matches(item.labels) for selector in self._selectors)

    def _end(self, why: str) -> None:
        with self._ready:
            self._ended = why
            self._rouse()

    def _rouse(self) -> None:
        self._ready.notify_all()
        if self._wake is not None:
            self._wake()
