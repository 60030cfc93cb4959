"""A type's objects at one moment, ordered by id, with label selections and pages.

Selections and pages are cached in the snapshot and freed with it at the type's next change.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.lru import LRUCache
from omni_gateway.omni.selectors import Selector

Choose = Callable[["Snapshot", Selector], Sequence[CachedObject]]

#: Selections and pages that a snapshot caches; clients repeat the same few queries.
MOST_SELECTIONS = 32
MOST_PAGES = 16


class SnapshotPage:
    """Some objects of a snapshot (``entries``), and how many the query matches in all (``total``)."""

    __slots__ = ("entries", "total")

    def __init__(self, entries: Sequence[CachedObject], total: int) -> None:
        self.entries = entries
        self.total = total


class Snapshot:
    """Immutable: a change of any object leads to a new snapshot."""

    def __init__(self, items: Sequence[CachedObject], choose: Choose) -> None:
        """``items``: ordered by id. ``choose`` returns the items that a selector matches, in the same order."""
        self.items = items
        self._choose = choose
        self._selected: LRUCache[tuple[str, ...], Sequence[CachedObject]] = LRUCache(MOST_SELECTIONS)
        self._pages: LRUCache[Hashable, SnapshotPage] = LRUCache(MOST_PAGES)

    def page(
        self, texts: tuple[str, ...], selectors: Sequence[Selector], offset: int, limit: int, *, descending: bool
    ) -> SnapshotPage:
        """Return a page of the objects that any of ``selectors`` matches (all objects without selectors).

        ``limit`` 0: to the end. ``texts``: the selectors' source texts, the cache key.
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
        """Return the objects that any of ``selectors`` matches, ordered by id; all objects without selectors."""
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
