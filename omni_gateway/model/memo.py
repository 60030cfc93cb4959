"""What is made of parts that did not change is made once.

A part is the same as long as it is the very same object: the cache hands out one sequence for all objects of a type
until one of them changes.
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
    """Return what stays the same object as long as the listing's objects do; None for an answer of Omni's own."""
    return listing.page if isinstance(listing, CachedListResult) else None


class Memo(Generic[T]):
    """The answers to the last questions; one goes with the first of its parts, which it does not hold."""

    def __init__(self, most: int = 16) -> None:
        self._kept: LRUCache[Hashable, tuple[Sequence[ref[object]], T]] = LRUCache(most)

    def made(self, question: Hashable, parts: Sequence[object | None], make: Callable[[], T]) -> T:
        """Return ``make()``, or what it made before of the same parts for the same question; None is never the same."""
        kept = self._kept.get(question)
        if kept is not None and len(kept[0]) == len(parts) and all(map(_is, kept[0], parts)):
            return kept[1]
        value = make()
        held = [part for part in parts if part is not None]
        if len(held) == len(parts):
            refs: list[ref[object]] = [ref(part, lambda gone: self._forget(question, gone)) for part in held]
            self._kept.put(question, (refs, value))
        return value

    def _forget(self, question: Hashable, gone: ref[object]) -> None:
        kept = self._kept.get(question)
        if kept is not None and any(each is gone for each in kept[0]):
            self._kept.drop(question)


def _is(known: ref[object], part: object | None) -> bool:
    return part is not None and known() is part
