"""Entries of the audit, read from the gateway's store by page."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import (
    Listing,
    ListQuery,
    NotFound,
    Problem,
    Resource,
    ResourceAdapter,
)
from omni_gateway.sdk.adapters import Change

NAMESPACE = "gateway"
TYPE = "audit"
#: Number of the newest entries with which a watch begins; older ones can be read by page.
MAX_INITIAL = 1000
POLL_SECONDS = 1.0
#: Other workers may store an entry up to this long after a newer one, so a poll reads this far back.
LATE_NANOSECONDS = 30 * 10**9
#: Number of entries, at most, whose ids are matched with a pattern.
MAX_MATCHED = 10_000
SORTABLE = ("time", "id", "created")


class AuditAdapter(ResourceAdapter):
    """Read-only; the database sorts, filters and pages."""

    type = TYPE
    namespace = NAMESPACE

    def list(self, query: ListQuery) -> Listing:
        """Return one page, newest first unless ``sort`` says otherwise; ``search`` looks into the path.

        Raises 422 for a pattern of ids where the rest of the query leaves more than :data:`MAX_MATCHED` entries.
        """
        if _nothing_matches(query):
            return Listing([], 0)
        limit = query.limit or (MAX_MATCHED if query.id_matches else MAX_INITIAL)
        entries, total = self.store.audit.page(
            _filters(query), offset=query.offset, limit=limit, oldest_first=_oldest_first(query)
        )
        if query.id_matches and total > MAX_MATCHED:
            text = f"Matches ids of at most {MAX_MATCHED} entries, and there are {total}: narrow them by `since`."
            raise Problem(422, "validation", errors={"id_matches": [text]})
        return Listing([_resource(entry.document()) for entry in entries], total)

    def get(self, id: str) -> Resource:
        """Return one entry; raises :class:`NotFound` if there is none (any more)."""
        entry = self.store.audit.find(id)
        if entry is None:
            raise NotFound(id)
        return _resource(entry.document())

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Yield the newest entries, then new ones, polled from the store every second; an entry never changes."""
        stopped = threading.Event()
        try:
            yield self._one(id, stopped) if id else self._new(query, stopped)
        finally:
            stopped.set()

    def _one(self, id: str, stopped: threading.Event) -> Iterator[Change]:
        yield Change("added", self.get(id))
        yield Change("bookmark")
        while not stopped.wait(POLL_SECONDS):
            pass

    def _new(self, query: ListQuery, stopped: threading.Event) -> Iterator[Change]:
        sent: OrderedDict[str, None] = OrderedDict()
        newest = self.list(replace(query, id_matches=None, sort=(), offset=0, limit=MAX_INITIAL)).items
        for item in reversed(newest):
            sent[item.id] = None
            yield Change("added", item)
        yield Change("bookmark")
        while not stopped.wait(POLL_SECONDS):
            if _nothing_matches(query):
                continue
            for item in self._since(query, max(sent, default="")):
                if item.id not in sent:
                    sent[item.id] = None
                    yield Change("added", item)
            while len(sent) > 2 * MAX_INITIAL:
                sent.popitem(last=False)

    def _since(self, query: ListQuery, newest: str) -> Sequence[Resource]:
        after = f"{max(0, int(newest[:16] or '0', 16) - LATE_NANOSECONDS):016x}"
        entries, _ = self.store.audit.page({**_filters(query), "after": after}, limit=MAX_INITIAL, oldest_first=True)
        return [_resource(entry.document()) for entry in entries]


def _filters(query: ListQuery) -> dict[str, Any]:
    return {**query.filters, **({"text": query.search} if query.search else {})}


def _nothing_matches(query: ListQuery) -> bool:
    """Return whether the label selector excludes all entries: they have no labels."""
    return query.selector is not None and not query.selector.matches({})


def _oldest_first(query: ListQuery) -> bool:
    for name, _ in query.sort:
        if name not in SORTABLE:
            known = ", ".join(SORTABLE)
            raise Problem(422, "validation", errors={"sort": [f"Cannot sort by {name!r}; sortable fields: {known}."]})
    return bool(query.sort) and not query.sort[0][1]


def _resource(document: Mapping[str, Any]) -> Resource:
    spec = {name: value for name, value in document.items() if name != "id"}
    return Resource(document["id"], spec, namespace=NAMESPACE, type=TYPE, created=document["time"])
