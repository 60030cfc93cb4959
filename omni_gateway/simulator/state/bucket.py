"""The objects of one type in one namespace: by id, in the order of ids, and by the labels that are queried most."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from omni_gateway.simulator.state.resource import Resource

INDEXED = ("omni.sidero.dev/cluster", "omni.sidero.dev/machine-set")
"""Labels that controllers query over and over: a scan of 10,000 objects takes too long."""


class Bucket:
    """Not thread-safe: the store's lock is around every call but :meth:`get`."""

    def __init__(self) -> None:
        self._by_id: dict[str, Resource] = {}
        self._labelled: dict[tuple[str, str], dict[str, Resource]] = {}
        self._ids: list[str] | None = None
        self._ordered: tuple[Resource, ...] | None = None

    def get(self, id: str) -> Resource | None:
        """Return an object, or None."""
        return self._by_id.get(id)

    def put(self, res: Resource) -> None:
        """Add an object, or put it in the stead of the one of its id."""
        old = self._by_id.get(res.id)
        self._by_id[res.id] = res
        self._ordered = None
        if old is not None:
            self._unlabel(old)
        elif self._ids is not None:
            insort(self._ids, res.id)
        for mark in _marks(res):
            self._labelled.setdefault(mark, {})[res.id] = res

    def remove(self, id: str) -> None:
        """Take an object out."""
        self._unlabel(self._by_id.pop(id))
        self._ordered = None
        if self._ids is not None:
            del self._ids[bisect_left(self._ids, id)]

    def ordered(self) -> tuple[Resource, ...]:
        """Return all objects in the order of their ids."""
        if self._ordered is None:
            if self._ids is None:
                self._ids = sorted(self._by_id)
            self._ordered = tuple(map(self._by_id.__getitem__, self._ids))
        return self._ordered

    def labelled(self, key: str, value: str) -> list[Resource]:
        """Return the objects with a label, one of ``INDEXED``, in the order of their ids."""
        found = self._labelled.get((key, value), {})
        return [found[id] for id in sorted(found)]

    def _unlabel(self, res: Resource) -> None:
        for mark in _marks(res):
            marked = self._labelled[mark]
            del marked[res.id]
            if not marked:
                del self._labelled[mark]


def _marks(res: Resource) -> Iterator[tuple[str, str]]:
    labels = res.labels
    if labels:
        for key in INDEXED:
            if (value := labels.get(key)) is not None:
                yield key, value
