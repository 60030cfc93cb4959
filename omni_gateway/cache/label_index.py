"""Objects by the labels that are asked for, so that a choice of fifty among ten thousand looks at fifty."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.omni.selectors import Selector, Term

#: Label keys that are indexed; the one that nobody has asked for longest goes first.
MOST_KEYS = 16


class LabelIndex:
    """Ids by label key and value, for the keys that were asked for; its owner's lock guards it."""

    def __init__(self) -> None:
        self._keys: OrderedDict[str, dict[str, set[str]]] = OrderedDict()

    def choose(self, selector: Selector, objects: Mapping[str, CachedObject]) -> Iterable[CachedObject]:
        """Return the objects that a selector takes, in no order."""
        wanted = [term for term in selector.terms if term.operator in ("=", "in", "exists")]
        if not wanted:
            return [item for item in objects.values() if selector.matches(item.labels)]
        fewest = min((self._ids(term, objects) for term in wanted), key=len)
        return [item for item in map(objects.__getitem__, fewest) if selector.matches(item.labels)]

    def change(self, old: CachedObject | None, new: CachedObject | None) -> None:
        """Take a change of one object; None: there was none, or there is none any more."""
        for key, values in self._keys.items():
            if old is not None and key in old.labels:
                values[old.labels[key]].discard(old.id)
                if not values[old.labels[key]]:
                    del values[old.labels[key]]
            if new is not None and key in new.labels:
                values.setdefault(new.labels[key], set()).add(new.id)

    def clear(self) -> None:
        """Forget all: the objects are others now."""
        self._keys.clear()

    def _ids(self, term: Term, objects: Mapping[str, CachedObject]) -> set[str]:
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
