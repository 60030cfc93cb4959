"""Reads of Omni's objects from feeds where these are the truth, from Omni where they are not."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import grpc

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.informer import Informer
from omni_gateway.cache.informers import Informers
from omni_gateway.cache.pending_writes import PendingWrite
from omni_gateway.cache.read_record import Dependency, ReadRecord
from omni_gateway.cache.snapshot import Snapshot, SnapshotPage
from omni_gateway.cache.subscription import Subscription
from omni_gateway.omni import errors, outcomes
from omni_gateway.omni.calls import Calls
from omni_gateway.omni.client import OmniClient
from omni_gateway.omni.config import OmniConfig
from omni_gateway.omni.listing import ListOptions, ListResult
from omni_gateway.omni.resources import ResourceClient, Watch
from omni_gateway.omni.selectors import Selector, SelectorError, parse
from omni_gateway.omni.signing import Signer
from omni_gateway.omni.streams import Stream
from omni_gateway.omni.types import COMPUTED, namespace_of
from omni_gateway.omni.watch import RawEvent

#: How long a read waits for a write of this process to come back by the watch; then Omni is asked.
OWN_WRITE_SECONDS = 0.5
#: A write so long ago is in whatever Omni tells: where that is what the feed holds, nothing is to come.
SETTLED_SECONDS = 2.0
#: Events that did not come for so long do not come any more: the watch was cut and has begun anew.
LOST_EVENT_SECONDS = 15.0
#: How long what was written is awaited from a watch before Omni is asked; its events come within milliseconds.
WRITTEN_SECONDS = 0.1
_BY_ID = ("", "id")


def _parsed(selectors: Sequence[str]) -> list[Selector] | None:
    """Return the label queries; None where only Omni can tell what one of them means."""
    try:
        return [parse(text) for text in selectors if text.strip()]
    except SelectorError:
        return None


def _page(snapshot: Snapshot, asked: ListOptions, wanted: Sequence[Selector]) -> SnapshotPage:
    return snapshot.page(tuple(asked.selectors), wanted, asked.offset, asked.limit, descending=asked.descending)


class CachedListResult(ListResult):
    """A page of objects that a feed holds."""

    def __init__(self, page: SnapshotPage) -> None:
        self.page = page
        self.total = page.total

    @cached_property
    def texts(self) -> Sequence[str]:  # type: ignore[override]
        """Return the objects' JSON texts."""
        return [item.text for item in self.page.entries]


class CachedResources(ResourceClient):
    """Answers ``get`` and ``list``; all else goes to Omni. ``account`` returns the account of the request in flight."""

    def __init__(self, calls: Calls, cache: Informers, record: Callable[[], ReadRecord]) -> None:
        super().__init__(calls, cache)
        self._cache = cache
        self._record = record

    def get(self, type: str, id: str, namespace: str | None = None) -> dict[str, Any]:
        """Return one object; ``NotFound`` when there is none."""
        return self.item(type, id, namespace).body()

    def item(self, type: str, id: str, namespace: str | None = None) -> CachedObject:
        """Return one object as it was told; ``NotFound`` when there is none."""
        informer = self._informer_for(type, namespace or namespace_of(type))
        if informer is not None:
            ready, item = informer.find(id)
            if ready:
                self._hit(Dependency(informer, id if item is None else item))
                if item is None:
                    text = f"resource {type}({namespace or namespace_of(type)}/{id}) doesn't exist"
                    raise errors.NotFound(grpc.StatusCode.NOT_FOUND, text, "omni.resources.ResourceService/Get")
                return item
            self._record().forward_reasons.append("stale")
        return self._fresh(type, id, namespace or namespace_of(type))

    def _fresh(self, type: str, id: str, namespace: str) -> CachedObject:
        """Return what Omni tells now: where a feed holds the very same, its object, and all that is made of it.

        Where it does not, no later read from the feed may show what is older.
        """
        asked = time.monotonic()
        text = self.get_text(type, id, namespace)
        informer = self._cache.present(type, namespace)
        if informer is not None:
            ready, held = informer.find(id)
            if ready and held is not None and held.text_hash == hash(text):
                return held
        told = CachedObject(text)
        self._cache.add_pending_write(type, namespace, id, PendingWrite("since", told.version, told.created, at=asked))
        return told

    def _list(self, asked: ListOptions, timeout: float | None) -> ListResult:
        """Answer a list; how Omni searches and sorts by fields is Omni's to say, so it is asked."""
        wanted = _parsed(asked.selectors)
        if asked.search or asked.sort_by not in _BY_ID or wanted is None:
            self._record().forward_reasons.append("bypass")
            return super()._list(asked, timeout)
        snapshot = self._snapshot(asked.type, asked.namespace)
        if snapshot is not None:
            return CachedListResult(_page(snapshot, asked, wanted))
        at = time.monotonic()
        return self._compared(asked, wanted, super()._list(asked, timeout), at)

    def _compared(self, asked: ListOptions, wanted: Sequence[Selector], listing: ListResult, at: float) -> ListResult:
        """Return what Omni has just told: where a feed holds the very same, its objects, and all that is made of them.

        Where it does not, no later read from the feed may show what is older. ``at`` (monotonic) is before that.
        """
        informer = self._cache.present(asked.type, asked.namespace)
        snapshot = informer.snapshot() if informer is not None else None
        if snapshot is None:
            return listing
        page = _page(snapshot, asked, wanted)
        every = len(listing.texts) == listing.total
        told = [hash(text) for text in listing.texts]
        if page.total != listing.total or told != [item.text_hash for item in page.entries]:
            ids = self._mark_newer(asked, listing, snapshot, at)
            if every:
                self._mark_missing(asked, snapshot, page, ids, at)
            return listing
        if every and asked.whole:
            self._settle(asked.type, asked.namespace, {item.id for item in snapshot.items}, at)
        return CachedListResult(page)

    def _mark_newer(self, asked: ListOptions, listing: ListResult, snapshot: Snapshot, at: float) -> set[str]:
        """Mark what Omni tells otherwise than the snapshot; return the ids of all that it tells."""
        same = {item.text_hash: item.id for item in snapshot.items}
        held_by_id = {item.id: item for item in snapshot.items}
        told_ids = set()
        for text in listing.texts:
            known = same.get(hash(text))
            if known is not None:
                told_ids.add(known)
                continue
            told = CachedObject(text)
            told_ids.add(told.id)
            held = held_by_id.get(told.id)
            if held is None or (held.created, held.version) < (told.created, told.version):
                pending = PendingWrite("since", told.version, told.created, at=at)
                self._cache.add_pending_write(asked.type, asked.namespace, told.id, pending)
        return told_ids

    def _mark_missing(
        self, asked: ListOptions, snapshot: Snapshot, page: SnapshotPage, told: set[str], at: float
    ) -> None:
        """Mark what Omni does not tell any more of all that is asked for: it is gone, or is not what it was."""
        if asked.whole:
            for id in ({item.id for item in snapshot.items} | self._beginnings(asked.type, asked.namespace)) - told:
                self._cache.add_pending_write(asked.type, asked.namespace, id, PendingWrite("gone", at=at))
        for item in page.entries:
            if item.id not in told and self._cache.pending_writes.find((asked.type, asked.namespace), item.id) is None:
                self._cache.add_pending_write(
                    asked.type, asked.namespace, item.id, PendingWrite("past", item.version, item.created, at=at)
                )

    def _settle(self, type: str, namespace: str, told: set[str], asked: float) -> None:
        """Forget what nothing more is to be heard of: Omni tells all objects as the feed holds them."""
        missing = self._beginnings(type, namespace) - told
        for id in missing:
            self._cache.add_pending_write(type, namespace, id, PendingWrite("gone", at=asked))
        if missing:
            return
        key = (type, namespace)
        for id, pending in self._cache.pending_writes.of(key).items():
            if pending.at < asked - SETTLED_SECONDS:
                self._cache.pending_writes.drop(key, id, pending)

    def _beginnings(self, type: str, namespace: str) -> set[str]:
        """Return the objects that are awaited."""
        marks = self._cache.pending_writes.of((type, namespace))
        return {id for id, pending in marks.items() if pending.kind in ("there", "since")}

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
            informer = self._informer_for(type, namespace or namespace_of(type))
            if informer is not None:
                subscription = Subscription(id, wanted)
                if subscription.begin(informer):
                    return subscription
        return super().watch(type, namespace, id=id, selectors=selectors, search=search, timeout=timeout)

    def _snapshot(self, type: str, namespace: str) -> Snapshot | None:
        informer = self._informer_for(type, namespace)
        snapshot = informer.snapshot() if informer is not None else None
        if informer is not None and snapshot is not None:
            self._hit(Dependency(informer, snapshot))
        return snapshot

    def _hit(self, part: Dependency) -> None:
        self._record().hit(part, self._cache.age(part.informer))

    def _informer_for(self, type: str, namespace: str) -> Informer | None:
        """Return the feed if it tells the truth to this request; note why not otherwise."""
        if namespace in COMPUTED:
            self._record().forward_reasons.append("bypass")
            return None
        max_age = self._record().max_age
        if max_age == 0:
            self._record().forward_reasons.append("request")
            return None
        informer = self._cache.informer(type, namespace)
        if informer is None:
            begun = self._cache.present(type, namespace)
            self._record().forward_reasons.append("uri-miss" if begun is None or not begun.relists else "stale")
            # Its beginning is the answer, for all who ask meanwhile.
            if begun is None or not begun.wait_for_beginning():
                return None
            informer = self._cache.informer(type, namespace)
        if informer is None:
            return None
        if max_age is not None and self._cache.age(informer) > max_age:
            self._record().forward_reasons.append("request")
            return None
        if not self._shows_pending_writes(informer, type, namespace):
            self._record().forward_reasons.append("stale")
            return None
        return informer

    def _shows_pending_writes(self, informer: Informer, type: str, namespace: str) -> bool:
        """Whether the feed shows what this process wrote or was told; waits for it a moment, asks Omni after that."""
        key = (type, namespace)
        for id, pending in self._cache.pending_writes.of(key).items():
            heard = pending.kind != "written" and informer.wait_for(id, pending, pending.at + OWN_WRITE_SECONDS)
            # What was made may be heard of as an earlier object of its id that others made and removed just before.
            sure = heard and pending.kind != "there"
            if not sure and not self._same(informer, type, namespace, id):
                if time.monotonic() > pending.at + LOST_EVENT_SECONDS:
                    self._cache.pending_writes.drop(key, id, pending)
                return False
            self._cache.pending_writes.drop(key, id, pending)
        return True

    def _same(self, informer: Informer, type: str, namespace: str, id: str) -> bool:
        """Whether Omni holds an object as the feed does: then no event is to come, for the write changed nothing."""
        ready, item = informer.find(id)
        if not ready or item is None:
            return False
        try:
            held = CachedObject(self.get_text(type, id, namespace))
        except errors.NotFound:
            return False
        return item.text_hash == held.text_hash


class CachingClient(OmniClient):
    """An Omni client with the cache of its process: requests that only read are answered from it."""

    def __init__(self, config: OmniConfig, *, signer: Signer | None = None) -> None:
        self.cache = Informers(self._follow, self.ping)
        self._observer = self.cache
        self._owns_cache = True
        super().__init__(config, signer=signer)

    def _follow(self, type: str, namespace: str) -> Stream[RawEvent]:
        return self.resources.follow(type, namespace)

    def acting_as(self, signer: Signer) -> Self:
        """As the base class does; its writes are noted in this cache, its reads are not answered from it."""
        other = super().acting_as(signer)
        other._owns_cache = False
        return other

    def reading(self, record: Callable[[], ReadRecord]) -> Self:
        """Return this client for requests that only read: from the cache, where that is the truth.

        ``account`` returns the account of the request in flight, which is told how it was answered.
        """
        other = copy.copy(self)
        other._owns_holder = False
        other._serve(self._calls.noted(lambda: record().note_call()).only_reads())
        other.resources = CachedResources(other._calls, self.cache, record)
        return other

    def close(self) -> None:
        """Close the connection and let the cache go."""
        if self._owns_holder:
            self.cache.close()
        super().close()

    def find_written(self, type: str, id: str, namespace: str, asked: Mapping[str, Any]) -> CachedObject | None:
        """See :func:`find_written`."""
        cache, key = self.cache, (type, namespace)
        pending = cache.pending_writes.find(key, id) if self._owns_cache else None
        informer = cache.informer(type, namespace) if pending is not None else None
        if pending is None or informer is None or pending.kind not in ("there", "since"):
            return None
        if not informer.wait_for(id, pending, time.monotonic() + WRITTEN_SECONDS):
            return None
        ready, item = informer.find(id)
        if not ready or item is None or (pending.kind == "there" and not outcomes.holds(asked, item.body())):
            return None
        return item


def find_written(omni: OmniClient, type: str, id: str, namespace: str, asked: Mapping[str, Any]) -> CachedObject | None:
    """Return an object that this process has just written, as its watch of the type shows it; no call is made.

    None where there is no watch that may be used, where it does not show the write within a moment, or where what was
    created cannot be told from an earlier object of its id by what was ``asked`` for: then Omni must be asked. Always
    None for a caller with an identity of its own, for the watch is the gateway's.
    """
    return omni.find_written(type, id, namespace, asked) if isinstance(omni, CachingClient) else None
