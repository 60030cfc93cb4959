"""A type's objects at one moment, ordered by id, with label selections and pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.omni.selectors import Selector

Choose = Callable[["Snapshot", Selector], Sequence[CachedObject]]


class SnapshotPage:
    """Some objects of a snapshot (``entries``), and how many the query matches in all (``total``)."""

    __slots__ = ("entries", "total")

    def __init__(self, entries: Sequence[CachedObject], total: int) -> None:
        self.entries = entries
        self.total = total


class Snapshot:
    """Immutable: a change of any object leads to a new snapshot."""

    __slots__ = ("__weakref__", "_choose", "items")

    def __init__(self, items: Sequence[CachedObject], choose: Choose) -> None:
        """``items``: ordered by id. ``choose`` returns the items that a selector matches, in the same order."""
        self.items = items
        self._choose = choose

    def page(self, selectors: Sequence[Selector], offset: int, limit: int, *, descending: bool) -> SnapshotPage:
        """Return a page of the objects that any of ``selectors`` matches (all objects without selectors).

        ``limit`` 0: to the end.
        """
        chosen = self.select(selectors)
        ordered = chosen[::-1] if descending else chosen
        return SnapshotPage(ordered[offset : offset + limit if limit > 0 else None], len(chosen))

    def select(self, selectors: Sequence[Selector]) -> Sequence[CachedObject]:
        """Return the objects that any of ``selectors`` matches, ordered by id; all objects without selectors."""
        if not selectors:
            return self.items
        if len(selectors) == 1:
            return self._choose(self, selectors[0])
        return tuple(item for item in self.items if any(each.matches(item.labels) for each in selectors))
