"""What was found out or made of late, bounded in number and in size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import RLock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The last ``most`` entries that were put or got; safe for any thread. Its repr tells nothing of them.

    With ``most_size``, their sizes, which ``size`` tells, come to no more than that together; one that is larger by
    itself is not kept.
    """

    def __init__(self, most: int, *, most_size: int = 0, size: Callable[[V], int] | None = None) -> None:
        self._most = most
        self._most_size = most_size
        self._size = size or (lambda value: 0)
        self._held = 0
        self._lock = RLock()  # a value's end may forget another one
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return what was put, None when it is not there (any more)."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def put(self, key: K, value: V) -> None:
        """Keep a value; the entries that nobody has used for longest go when there is too much."""
        with self._lock:
            self._forget(key)
            if self._size(value) > self._most_size > 0:
                return
            self._kept[key] = value
            self._held += self._size(value)
            while len(self._kept) > self._most or self._held > self._most_size > 0:
                self._forget(next(iter(self._kept)))

    def drop(self, key: K) -> None:
        """Forget an entry, if it is there."""
        with self._lock:
            self._forget(key)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()
            self._held = 0

    def _forget(self, key: K) -> None:
        if key in self._kept:
            self._held -= self._size(self._kept.pop(key))
