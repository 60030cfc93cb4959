"""An index of objects by label, so that selecting fifty of ten thousand examines fifty."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.omni.selectors import Selector, Term

#: Label keys that are indexed; the least recently queried one is evicted first.
MOST_KEYS = 16


class LabelIndex:
    """Ids by label key and value, for the keys that were queried. Not thread-safe: the informer's lock guards it."""

    def __init__(self) -> None:
        self._keys: OrderedDict[str, dict[str, set[str]]] = OrderedDict()

    def choose(self, selector: Selector, objects: Mapping[str, CachedObject]) -> Iterable[CachedObject]:
        """Return the objects that a selector matches, in no order."""
        # Only these terms name the ids that can match; a negation or a comparison has to examine every object.
        indexable = [term for term in selector.terms if term.operator in ("=", "in", "exists")]
        if not indexable:
            return [item for item in objects.values() if selector.matches(item.labels)]
        fewest = min((self._ids(term, objects) for term in indexable), key=len)
        return [item for item in map(objects.__getitem__, fewest) if selector.matches(item.labels)]

    def change(self, old: CachedObject | None, new: CachedObject | None) -> None:
        """Update the index for one changed object; ``old`` None: it was created, ``new`` None: it was deleted."""
        for key, values in self._keys.items():
            if old is not None and key in old.labels:
                values[old.labels[key]].discard(old.id)
                if not values[old.labels[key]]:
                    # Values such as host names may never return: an empty set for each would be a leak.
                    del values[old.labels[key]]
            if new is not None and key in new.labels:
                values.setdefault(new.labels[key], set()).add(new.id)

    def clear(self) -> None:
        """Drop the index; called when a relist replaces all objects."""
        self._keys.clear()

    def _ids(self, term: Term, objects: Mapping[str, CachedObject]) -> set[str]:
        """Return the ids that a term selects; indexes its key at the first query."""
        values = self._keys.get(term.key)
        if values is None:
            values = self._keys[term.key] = {}
            for item in objects.values():
                if term.key in item.labels:
                    values.setdefault(item.labels[term.key], set()).add(item.id)
            if len(self._keys) > MOST_KEYS:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(term.key)
        if term.operator == "exists":
            return set().union(*values.values())
        return set().union(*(values.get(value, ()) for value in term.values))
