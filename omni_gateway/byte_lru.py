"""What is rendered, kept within one bound.

A page, the answer that gave it, and the bodies of the objects on it are the same bytes: they count once, and go
together, when nobody has used any of them for longest.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any

#: Bytes that a thing on the shelf takes beside what is rendered.
OVERHEAD = 500
#: What nobody has used for so long is let go, though there were room.
IDLE_SECONDS = 120.0


class _Lot:
    """Some bytes and what is kept by them."""

    __slots__ = ("buffer", "forget", "size", "used")

    def __init__(self, buffer: bytes) -> None:
        self.buffer = buffer
        self.used = 0.0
        self.size = len(buffer)
        self.forget: dict[Hashable, Callable[[], None] | None] = {}


class BoundedRenderings:
    """Things by their keys, of no more than ``most`` bytes together; safe for any thread."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._held = 0
        self._lock = RLock()
        self._things: dict[Hashable, tuple[Any, _Lot]] = {}
        self._lots: OrderedDict[int, _Lot] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """Return what was put, None when it is not there (any more)."""
        with self._lock:
            found = self._things.get(key)
            if found is None:
                return None
            self._use(found[1])
            return found[0]

    def put(self, key: Hashable, thing: Any, buffer: bytes, forget: Callable[[], None] | None = None) -> bool:
        """Keep a thing that holds ``buffer``; ``forget`` is called when it goes. False: there is no room for it."""
        with self._lock:
            self.drop(key)
            if len(buffer) + OVERHEAD > self.most:
                return False
            lot = self._lots.get(id(buffer))
            if lot is None:
                lot = self._lots[id(buffer)] = _Lot(buffer)
                self._held += lot.size
            self._use(lot)
            lot.forget[key] = forget
            self._things[key] = (thing, lot)
            self._held += OVERHEAD
            while self._lots and (self._held > self.most or self._oldest.used < lot.used - IDLE_SECONDS):
                self._clear(self._oldest)
            return key in self._things

    def drop(self, key: Hashable) -> None:
        """Forget a thing, if it is there."""
        with self._lock:
            found = self._things.pop(key, None)
            if found is None:
                return
            lot, self._held = found[1], self._held - OVERHEAD
            forget = lot.forget.pop(key)
            if not lot.forget:
                del self._lots[id(lot.buffer)]
                self._held -= lot.size
            if forget is not None:
                forget()

    @property
    def _oldest(self) -> _Lot:
        return next(iter(self._lots.values()))

    def _use(self, lot: _Lot) -> None:
        lot.used = time.monotonic()
        self._lots.move_to_end(id(lot.buffer))

    def _clear(self, lot: _Lot) -> None:
        for key in tuple(lot.forget):
            self.drop(key)


LEAST = 16 * 1024 * 1024
"""Bytes for what is rendered where no objects are kept."""
SHELF = BoundedRenderings(LEAST)
"""Of this process."""
