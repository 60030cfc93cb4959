"""All objects of a type at one moment, in order, and by their labels."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from omni_gateway.omni.cache.item import Item
from omni_gateway.omni.selectors import Selector

#: Selections that are kept; they are for the same few filters again and again.
MOST_SELECTIONS = 64


class Snapshot:
    """Never changes; a later moment is another one."""

    def __init__(self, items: Sequence[Item]) -> None:
        """``items`` are in the order of their ids."""
        self.items = items
        self._lock = threading.Lock()
        self._selected: dict[tuple[str, ...], Sequence[Item]] = {}

    def select(self, texts: tuple[str, ...], selectors: Sequence[Selector]) -> Sequence[Item]:
        """Return the objects that any of ``selectors`` takes, all without one; ``texts`` are the selectors' own."""
        if not selectors:
            return self.items
        with self._lock:
            found = self._selected.get(texts)
        if found is None:
            found = tuple(item for item in self.items if any(each.matches(item.labels) for each in selectors))
            with self._lock:
                if len(self._selected) >= MOST_SELECTIONS:
                    self._selected.clear()
                self._selected[texts] = found
        return found
