"""Reads of Omni's objects from feeds where these are the truth, from Omni where they are not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import grpc

from omni_gateway.omni import errors
from omni_gateway.omni.cache.feed import Feed
from omni_gateway.omni.cache.item import Item
from omni_gateway.omni.cache.marks import Mark
from omni_gateway.omni.cache.registry import ReadCache
from omni_gateway.omni.cache.subscription import Subscription
from omni_gateway.omni.calls import Calls
from omni_gateway.omni.resources import Listing, ResourceClient, Watch
from omni_gateway.omni.selectors import Selector, SelectorError, parse
from omni_gateway.omni.types import namespace_of

#: How long a read waits for a write of this process to come back by the watch; then Omni is asked.
OWN_WRITE_SECONDS = 0.5
#: A write so long ago is in whatever Omni tells: where that is what the feed holds, nothing is to come.
SETTLED_SECONDS = 2.0
#: Events that did not come for so long do not come any more: the watch was cut and has begun anew.
FORGOTTEN_SECONDS = 15.0
_BY_ID = ("", "id")
Forward = Literal["uri-miss", "stale", "request", "bypass"]
"""Why Omni was asked (RFC 9211 §2.2): not known here yet, not to be believed, on request, not answerable here."""


def _parsed(selectors: Sequence[str]) -> list[Selector] | None:
    """Return the label queries; None where only Omni can tell what one of them means."""
    try:
        return [parse(text) for text in selectors if text.strip()]
    except SelectorError:
        return None


class CachedListing(Listing):
    """A page of objects that a feed holds."""

    def __init__(self, entries: Sequence[Item], total: int) -> None:
        self.entries = entries
        self.total = total

    @cached_property
    def texts(self) -> Sequence[str]:  # type: ignore[override]
        """Return the objects' JSON texts."""
        return [item.text for item in self.entries]


@dataclass
class Reading:
    """How the reads of one request were answered."""

    age: float = 0.0
    hits: int = 0
    forwards: list[Forward] = field(default_factory=list)

    @property
    def is_hit(self) -> bool:
        """Whether nothing at all was asked of Omni."""
        return bool(self.hits) and not self.forwards

    @property
    def cache_status(self) -> str:
        """Return the value of ``Cache-Status``."""
        if self.is_hit:
            return "omni-gateway; hit"
        return f"omni-gateway; fwd={self.forwards[0] if self.forwards else 'uri-miss'}"


class CachedResources(ResourceClient):
    """Answers ``get`` and ``list`` for one request; all else goes to Omni.

    ``max_age`` (seconds): how old an answer may be; 0 asks Omni always.
    """

    def __init__(self, calls: Calls, cache: ReadCache, reading: Reading, max_age: float | None = None) -> None:
        super().__init__(calls, cache.mark)
        self._cache = cache
        self._reading = reading
        self._max_age = max_age

    def get(self, type: str, id: str, namespace: str | None = None) -> dict[str, Any]:
        """Return one object; ``NotFound`` when there is none."""
        return self.item(type, id, namespace).body()

    def item(self, type: str, id: str, namespace: str | None = None) -> Item:
        """Return one object as it was told; ``NotFound`` when there is none."""
        feed = self._believed(type, namespace or namespace_of(type))
        if feed is not None:
            live, item = feed.find(id)
            if live:
                self._hit(feed)
                if item is None:
                    text = f"resource {type}({namespace or namespace_of(type)}/{id}) doesn't exist"
                    raise errors.NotFound(grpc.StatusCode.NOT_FOUND, text, "omni.resources.ResourceService/Get")
                return item
            self._reading.forwards.append("stale")
        return Item(self.get_text(type, id, namespace))

    def list(
        self,
        type: str,
        namespace: str | None = None,
        *,
        offset: int = 0,
        limit: int = 0,
        sort_by: str = "",
        descending: bool = False,
        search: Sequence[str] = (),
        selectors: Sequence[str] = (),
        timeout: float | None = None,
    ) -> Listing:
        """Return the objects of a type; how Omni searches and sorts by fields is Omni's to say, so it is asked."""
        found = None
        if search or sort_by not in _BY_ID:
            self._reading.forwards.append("bypass")
        else:
            found = self._select(type, namespace or namespace_of(type), selectors)
        if found is None:
            asked = time.monotonic()
            listing = super().list(
                type,
                namespace,
                offset=offset,
                limit=limit,
                sort_by=sort_by,
                descending=descending,
                search=search,
                selectors=selectors,
                timeout=timeout,
            )
            whole = not (selectors or search) and offset == 0 and len(listing.texts) == listing.total
            self._mark_newer(type, namespace or namespace_of(type), listing, asked, whole=whole)
            return listing
        ordered = found[::-1] if descending else found
        return CachedListing(ordered[offset : offset + limit if limit > 0 else None], len(found))

    def _mark_newer(self, type: str, namespace: str, listing: Listing, asked: float, *, whole: bool) -> None:
        """Let no later read from the feed show what is older than what Omni has just told."""
        feed = self._cache.present(type, namespace)
        snapshot = feed.snapshot() if feed is not None else None
        if feed is None or snapshot is None:
            return
        key = (type, namespace)
        held_by_id = {item.id: item for item in snapshot.items}
        told_ids, agreed = set(), whole
        for text in listing.texts:
            told = Item(text)
            told_ids.add(told.id)
            held = held_by_id.get(told.id)
            agreed = agreed and held is not None and held.text == text
            if held is None or (held.created, held.version) < (told.created, told.version):
                self._cache.mark(type, namespace, told.id, Mark("since", told.version, told.created, at=asked))
        if not whole:
            return
        awaited = self._cache.marks.of(key)
        beginnings = {id for id, mark in awaited.items() if mark.kind in ("there", "since")}
        missing = (held_by_id.keys() | beginnings) - told_ids
        for id in missing:
            self._cache.mark(type, namespace, id, Mark("gone", at=asked))
        if agreed and not missing:
            for id, mark in awaited.items():
                if mark.at < asked - SETTLED_SECONDS:
                    self._cache.marks.drop(key, id, mark)

    def watch(  # type: ignore[override]
        self,
        type: str,
        namespace: str | None = None,
        *,
        id: str = "",
        selectors: Sequence[str] = (),
        search: Sequence[str] = (),
        timeout: float | None = None,
    ) -> Watch | Subscription:
        """Follow a type or one object, from the process's own watch of the type where there is one."""
        wanted = _parsed(selectors) if not search and timeout is None else None
        if wanted is not None:
            feed = self._believed(type, namespace or namespace_of(type))
            if feed is not None:
                subscription = Subscription(id, wanted)
                if subscription.begin(feed):
                    return subscription
        return super().watch(type, namespace, id=id, selectors=selectors, search=search, timeout=timeout)

    def _select(self, type: str, namespace: str, selectors: Sequence[str]) -> Sequence[Item] | None:
        wanted = _parsed(selectors)
        if wanted is None:
            self._reading.forwards.append("bypass")
            return None
        feed = self._believed(type, namespace)
        snapshot = feed.snapshot() if feed is not None else None
        if feed is None or snapshot is None:
            return None
        self._hit(feed)
        return snapshot.select(tuple(selectors), wanted)

    def _hit(self, feed: Feed) -> None:
        self._reading.hits += 1
        self._reading.age = max(self._reading.age, self._cache.age(feed))

    def _believed(self, type: str, namespace: str) -> Feed | None:
        """Return the feed if it tells the truth to this request; note why not otherwise."""
        if self._max_age == 0:
            self._reading.forwards.append("request")
            return None
        present = self._cache.present(type, namespace)
        feed = self._cache.feed(type, namespace)
        if feed is None:
            self._reading.forwards.append("uri-miss" if present is None else "stale")
            return None
        if self._max_age is not None and self._cache.age(feed) > self._max_age:
            self._reading.forwards.append("request")
            return None
        if not self._up_to_date(feed, type, namespace):
            self._reading.forwards.append("stale")
            return None
        return feed

    def _up_to_date(self, feed: Feed, type: str, namespace: str) -> bool:
        """Whether the feed shows what this process wrote or was told; waits for it a moment, asks Omni after that."""
        key = (type, namespace)
        for id, mark in self._cache.marks.of(key).items():
            heard = feed.wait_for(id, mark, mark.at + OWN_WRITE_SECONDS)
            # What was made may be heard of as an earlier object of its id that others made and removed just before.
            sure = heard and mark.kind != "there"
            if not sure and not self._same(feed, type, namespace, id):
                if time.monotonic() > mark.at + FORGOTTEN_SECONDS:
                    self._cache.marks.drop(key, id, mark)
                return False
            self._cache.marks.drop(key, id, mark)
        return True

    def _same(self, feed: Feed, type: str, namespace: str, id: str) -> bool:
        """Whether Omni holds an object as the feed does: then no event is to come, for the write changed nothing."""
        live, item = feed.find(id)
        if not live or item is None:
            return False
        try:
            held = Item(self.get_text(type, id, namespace))
        except errors.NotFound:
            return False
        return item.text == held.text
