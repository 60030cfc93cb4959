"""What was found out or made of late, bounded in number."""

from __future__ import annotations

from collections import OrderedDict
from threading import RLock
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class LRUCache(Generic[K, V]):
    """The last ``most`` entries that were put or got; safe for any thread. Its repr tells nothing of them.

    What is bounded in bytes stands on the shelf (:mod:`omni_gateway.byte_lru`).
    """

    def __init__(self, most: int) -> None:
        self._most = most
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
        """Keep a value; the entry that nobody has used for longest goes when there are too many."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget an entry, if it is there."""
        with self._lock:
            self._kept.pop(key, None)
