"""Memoization of values that are computed from parts of the cache.

Parts are compared by identity: the cache returns the same sequence for all objects of a type until one of them changes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar
from weakref import ref

from omni_gateway.cache.client import CachedListResult
from omni_gateway.lru import LRUCache
from omni_gateway.omni import ListResult

T = TypeVar("T")


def identity(listing: ListResult) -> object | None:
    """Return an object that stays identical while the listing is unchanged; None if it was read from Omni."""
    return listing.page if isinstance(listing, CachedListResult) else None


class Memo(Generic[T]):
    """An LRU cache of computed values, by key; ``most`` is the number of entries.

    Parts are referenced weakly: an entry is evicted when one of its parts is garbage-collected.
    """

    def __init__(self, most: int = 16) -> None:
        self._entries: LRUCache[Hashable, tuple[Sequence[ref[object]], T]] = LRUCache(most)

    def made(self, question: Hashable, parts: Sequence[object | None], make: Callable[[], T]) -> T:
        """Return ``make()``, or its cached result for the same key and identical parts.

        :param question: the key of the entry.
        :param parts: the objects that the value is computed from (see :func:`identity`); a None among them prevents
            caching.
        :param make: computes the value.
        """
        entry = self._entries.get(question)
        if entry is not None and len(entry[0]) == len(parts) and all(map(_is, entry[0], parts)):
            return entry[1]
        value = make()
        present = [part for part in parts if part is not None]
        if len(present) == len(parts):
            refs: list[ref[object]] = [ref(part, lambda dead: self._evict(question, dead)) for part in present]
            self._entries.put(question, (refs, value))
        return value

    def _evict(self, question: Hashable, dead: ref[object]) -> None:
        # The entry may have been replaced by one with other parts since.
        entry = self._entries.get(question)
        if entry is not None and any(each is dead for each in entry[0]):
            self._entries.drop(question)


def _is(known: ref[object], part: object | None) -> bool:
    return part is not None and known() is part
