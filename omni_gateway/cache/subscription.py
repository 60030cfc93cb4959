"""One caller's watch, served from the process's informer; it has the interface of a watch that Omni serves."""

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

#: Events that wait for one caller, at most. A slower one is cut off; it reconnects with its resume point.
LONGEST_QUEUE = 20_000


@dataclass(frozen=True, slots=True)
class CachedObjectEvent:
    """A change, with the interface of ``WatchEvent``; ``item`` is shared by all watchers.

    ``idle``: no change at present (see :meth:`Subscription.told_by`).
    """

    kind: WatchKind | Literal["idle"]
    item: CachedObject | None = None

    @property
    def resource(self) -> dict[str, Any] | None:
        """The object, parsed anew at each access; of a destroyed one its last state."""
        return self.item.body() if self.item is not None else None

    @property
    def old(self) -> None:
        """Always None: consumers hold the previous version themselves where they need it."""
        return


IDLE = CachedObjectEvent("idle")
_FAR_BEHIND = "the watch fell too far behind and was cut off"


def ended_because(why: str) -> Unavailable:
    """Return the error that ends a watch which is served from an informer."""
    return Unavailable(grpc.StatusCode.UNAVAILABLE, why, "omni.resources.ResourceService/Watch")


def too_far_behind() -> Unavailable:
    """Return the error that ends the watch of a reader whose queue is full."""
    return ended_because(_FAR_BEHIND)


class Subscription(Endless[CachedObjectEvent]):
    """Iterate over the changes of one object, or of those that ``selectors`` match; ``cancel`` ends the iteration.

    The iteration blocks until the next change; after :meth:`told_by` it returns :data:`IDLE` instead of blocking.
    Raises ``Unavailable`` when the queue has overflowed, or when the informer is closed.
    """

    def __init__(self, id: str = "", selectors: Sequence[Selector] = ()) -> None:
        self._id = id
        self._selectors = selectors
        # Guards what the informer's thread and the consumer share. Acquired inside of the informer's lock (events are
        # delivered under that), so nothing here may take the informer's lock while it is held.
        self._ready = threading.Condition()
        self._events: deque[CachedObjectEvent] = deque()
        self._shown: set[str] = set()
        self._unfollow: Callable[[], None] | None = None
        self._wake: Callable[[], None] | None = None
        self._ended = ""
        self._cancelled = False

    def told_by(self, wake: Callable[[], None]) -> None:
        """Make the iteration non-blocking: ``wake`` is called for each change.

        It is called from any thread with the informer's lock held, so it must not block.
        """
        with self._ready:
            self._wake = wake

    def begin(self, informer: Informer) -> bool:
        """Follow an informer from now on; return False while it is not ready."""
        unfollow = informer.follow(self._notify, self._start)
        if unfollow is None:
            return False
        self._unfollow = unfollow
        return True

    def __next__(self) -> CachedObjectEvent:
        with self._ready:
            while not self._events and not self._cancelled and not self._ended:
                if self._wake is not None:
                    return IDLE
                self._ready.wait()
            if self._cancelled:
                raise StopIteration
            # Events from before the end come first; an overflow has emptied the queue, so it ends at once.
            if self._events:
                return self._events.popleft()
        raise ended_because(self._ended)

    def cancel(self) -> None:
        """End the iteration; safe from any thread and more than once."""
        # Before taking our own lock: this takes the informer's, which comes first in the order of locks.
        if self._unfollow is not None:
            self._unfollow()
        with self._ready:
            self._cancelled = True
            self._events.clear()
            self._rouse()

    def _start(self, items: Sequence[CachedObject]) -> None:
        """Queue the present objects as ``created`` and the end of the list; called once, under the informer's lock."""
        present = [item for item in items if self._wants(item)]
        self._shown = {item.id for item in present}
        # Not bounded: the list shares the informer's objects, and the consumer has not had a chance to read yet.
        events = [*(CachedObjectEvent("created", item) for item in present), CachedObjectEvent("bootstrapped")]
        with self._ready:
            self._events.extend(events)

    def _notify(self, event: InformerEvent | None) -> None:
        """Queue a change; called under the informer's lock. None: the informer was closed."""
        if event is None:
            self._end("the type is not followed any more")
            return
        visible = self._visible(event)
        if visible is None:
            return
        with self._ready:
            if len(self._events) >= LONGEST_QUEUE:
                # A gap would be worse than an end: events that were left out could not be noticed.
                self._events.clear()
                self._ended = _FAR_BEHIND
            else:
                self._events.append(visible)
            self._rouse()

    def _visible(self, event: InformerEvent) -> CachedObjectEvent | None:
        """Return a change as this caller's selectors see it; None where they do not.

        An object whose labels stop matching is ``destroyed`` for the caller; one that starts to match is ``created``.
        """
        kind, item, _ = event
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
        """Wake the consumer, whichever way it waits; called with the lock held."""
        self._ready.notify_all()
        if self._wake is not None:
            self._wake()
