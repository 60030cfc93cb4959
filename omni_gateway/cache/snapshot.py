"""All objects of a type at one moment, in order, and by their labels.

What is made of a snapshot is kept with it, so it goes when the next change comes: the answers to the last questions
are the very same objects until then, and so is whatever others make of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.lru import LRUCache
from omni_gateway.omni.selectors import Selector

T = TypeVar("T")
Choose = Callable[["Snapshot", Selector], Sequence[CachedObject]]

#: Selections and pages that are kept; they are for the same few questions again and again.
MOST_SELECTIONS = 32
MOST_PAGES = 16


class SnapshotPage:
    """Some objects of a snapshot, and of how many in all. ``made`` keeps what others make of it."""

    __slots__ = ("__weakref__", "_made", "entries", "total")

    def __init__(self, entries: Sequence[CachedObject], total: int) -> None:
        self.entries = entries
        self.total = total
        self._made: LRUCache[Hashable, Any] = LRUCache(MOST_PAGES)

    def made(self, question: Hashable, make: Callable[[], T]) -> T:
        """Return ``make()``, made once for a question."""
        found: T | None = self._made.get(question)
        if found is None:
            found = make()
            self._made.put(question, found)
        return found


class Snapshot:
    """Never changes; a later moment is another one."""

    def __init__(self, items: Sequence[CachedObject], choose: Choose) -> None:
        """``items`` are in the order of their ids; ``choose`` returns, in that order, those that a selector takes."""
        self.items = items
        self._choose = choose
        self._selected: LRUCache[tuple[str, ...], Sequence[CachedObject]] = LRUCache(MOST_SELECTIONS)
        self._pages: LRUCache[Hashable, SnapshotPage] = LRUCache(MOST_PAGES)

    def page(
        self, texts: tuple[str, ...], selectors: Sequence[Selector], offset: int, limit: int, *, descending: bool
    ) -> SnapshotPage:
        """Return a page of the objects that any of ``selectors`` takes, all without one; ``limit`` 0: to the end.

        ``texts`` are the selectors' own: the same ones are the same question.
        """
        question = (texts, offset, limit, descending)
        page = self._pages.get(question)
        if page is None:
            chosen = self.select(texts, selectors)
            ordered = chosen[::-1] if descending else chosen
            page = SnapshotPage(ordered[offset : offset + limit if limit > 0 else None], len(chosen))
            self._pages.put(question, page)
        return page

    def select(self, texts: tuple[str, ...], selectors: Sequence[Selector]) -> Sequence[CachedObject]:
        """Return the objects that any of ``selectors`` takes, all without one."""
        if not selectors:
            return self.items
        found = self._selected.get(texts)
        if found is None:
            if len(selectors) == 1:
                found = self._choose(self, selectors[0])
            else:
                found = tuple(item for item in self.items if any(each.matches(item.labels) for each in selectors))
            self._selected.put(texts, found)
        return found
