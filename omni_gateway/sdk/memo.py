"""What is made of parts that did not change is made once.

A part is the same as long as it is the very same object: the cache hands out one sequence for all objects of a type
until one of them changes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from operator import is_
from threading import Lock
from typing import Generic, TypeVar

from omni_gateway.omni import Listing
from omni_gateway.omni.cache.cached import CachedListing

T = TypeVar("T")


def identity(listing: Listing) -> object | None:
    """Return what stays the same object as long as the listing's objects do; None for an answer of Omni's own."""
    return listing.page if isinstance(listing, CachedListing) else None


class Memo(Generic[T]):
    """The answers to the last questions."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[Sequence[object], T]] = OrderedDict()

    def made(self, question: Hashable, parts: Sequence[object | None], make: Callable[[], T]) -> T:
        """Return ``make()``, or what it made before of the same parts for the same question; None is never the same."""
        with self._lock:
            kept = self._kept.get(question)
        if kept is not None and len(kept[0]) == len(parts) and all(map(is_, kept[0], parts)):
            return kept[1]
        value = make()
        if not any(part is None for part in parts):
            with self._lock:
                self._kept[question] = (tuple(part for part in parts if part is not None), value)
                self._kept.move_to_end(question)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return value
