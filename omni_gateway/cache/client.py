"""Reads from informers while these are current, and from Omni otherwise."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import grpc

from omni_gateway.cache import cache_status
from omni_gateway.cache.cache_status import ForwardReason
from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.informer import Informer
from omni_gateway.cache.informers import Informers
from omni_gateway.cache.pending_writes import AtLeast, Unknown
from omni_gateway.cache.read_record import Dependency, ReadRecord
from omni_gateway.cache.snapshot import Snapshot, SnapshotPage
from omni_gateway.omni import deadline, errors, outcomes
from omni_gateway.omni.calls import Calls
from omni_gateway.omni.client import OmniClient
from omni_gateway.omni.config import OmniConfig
from omni_gateway.omni.list_options import ListOptions, ListResult
from omni_gateway.omni.resources import ResourceClient
from omni_gateway.omni.selectors import Selector, parse_all
from omni_gateway.omni.signing import Signer
from omni_gateway.omni.streams import Stream
from omni_gateway.omni.types import COMPUTED, namespace_of
from omni_gateway.omni.watch import RawEvent

#: How long after a write of this process a read waits for its event; then the object is read from Omni.
OWN_WRITE_SECONDS = 0.5
#: Of these, or of the time that the request has left if that is less, half is for the bootstrap of a type that is
#: listed whole; the rest is for the list itself, should the bootstrap not end in time.
MOST_PATIENCE_SECONDS = 60.0
#: An event that has not come for so long was lost: the type is listed anew.
LOST_EVENT_SECONDS = 15.0
#: How long :func:`find_written` waits for an event before it gives up; events come within milliseconds.
WRITTEN_SECONDS = 0.1
_BY_ID = ("", "id")


def _reason_not_current(informer: Informer | None) -> ForwardReason:
    """Return why reads cannot use an informer that is not current; ``informer`` is None if the type has none."""
    if informer is None:
        return cache_status.NO_INFORMER
    if not informer.relists:
        return cache_status.SYNCING
    return cache_status.NO_SIGN_OF_LIFE if informer.ready else cache_status.WATCH_INTERRUPTED


def _page(snapshot: Snapshot, options: ListOptions, selectors: Sequence[Selector]) -> SnapshotPage:
    return snapshot.page(selectors, options.offset, options.limit, descending=options.descending)


class CachedListResult(ListResult):
    """A page of an informer's objects."""

    def __init__(self, page: SnapshotPage) -> None:
        self.page = page
        self.total = page.total

    @cached_property
    def texts(self) -> Sequence[str]:  # type: ignore[override]
        """The objects' JSON texts."""
        return [item.text for item in self.page.entries]


class CachedResources(ResourceClient):
    """Answers ``get`` and ``list`` from informers where possible; everything else from Omni.

    ``record`` returns the :class:`ReadRecord` of the request in flight.
    """

    def __init__(self, calls: Calls, cache: Informers, record: Callable[[], ReadRecord]) -> None:
        super().__init__(calls, cache)
        self._cache = cache
        self._record = record

    def get(self, type: str, id: str, namespace: str | None = None) -> dict[str, Any]:
        """Return one object, parsed; raises ``NotFound``."""
        return self.item(type, id, namespace).body()

    def item(self, type: str, id: str, namespace: str | None = None) -> CachedObject:
        """Return one object, the informer's own instance where possible; raises ``NotFound``."""
        informer = self.informer_for(type, namespace or namespace_of(type))
        if informer is not None:
            ready, item = informer.find(id)
            if ready:
                self._hit(Dependency(informer, id if item is None else item))
                if item is None:
                    text = f"resource {type}({namespace or namespace_of(type)}/{id}) doesn't exist"
                    raise errors.NotFound(grpc.StatusCode.NOT_FOUND, text, "omni.resources.ResourceService/Get")
                return item
            # Its watch has ended between the check and the read.
            self._record().forward(cache_status.WATCH_INTERRUPTED)
        return self.item_from_omni(type, id, namespace)

    def item_from_omni(self, type: str, id: str, namespace: str | None = None) -> CachedObject:
        """Read one object from Omni; return the informer's instance if that has the same text; raises ``NotFound``.

        Otherwise records the version, so that no later read from the informer returns an older one.
        """
        namespace, asked_at = namespace or namespace_of(type), self._cache.now()
        text = self.get_text(type, id, namespace)
        informer = self._cache.existing(type, namespace)
        if informer is not None:
            ready, cached = informer.find(id)
            if ready and cached is not None and cached.text_hash == hash(text):
                # The shared instance: what was rendered from it is used again.
                return cached
        item = CachedObject(text)
        self._cache.read(type, namespace, id, item.version, item.created, asked_at)
        return item

    def list_cached(self, type: str, namespace: str | None = None) -> CachedListResult | None:
        """Return all objects of a type from its informer; None if this request may not read from that.

        Waits for the informer's first bootstrap as a read of one object does, not as a list of all of them.
        """
        snapshot = self._snapshot(type, namespace or namespace_of(type), 0.0)
        return None if snapshot is None else CachedListResult(SnapshotPage(snapshot.items, len(snapshot.items)))

    def _list(self, options: ListOptions, timeout: float | None) -> ListResult:
        """Return a page of objects; ``search`` and sorting by fields are forwarded, as only Omni knows their rules."""
        selectors = parse_all(options.selectors)
        if selectors is None:
            self._record().forward(cache_status.SELECTOR)
            return super()._list(options, timeout)
        if options.search or options.sort_by not in _BY_ID:
            self._record().forward(cache_status.SEARCH if options.search else cache_status.SORT)
            return super()._list(options, timeout)
        # Omni would need as long for the whole list as for the bootstrap that is on its way; a part is quickly read.
        patience = deadline.left(MOST_PATIENCE_SECONDS) / 2 if options.every else 0.0
        snapshot = self._snapshot(options.type, options.namespace, patience)
        if snapshot is not None:
            return CachedListResult(_page(snapshot, options, selectors))
        asked_at = self._cache.now()
        return self._reconcile(options, selectors, super()._list(options, timeout), asked_at)

    def _reconcile(
        self, options: ListOptions, selectors: Sequence[Selector], listing: ListResult, asked_at: float
    ) -> ListResult:
        """Compare a list that Omni returned with the informer; return the informer's page if they are equal.

        Otherwise records the differences, so that no later read from the informer goes back behind this list.
        ``asked_at``: seconds of the cache's clock, before the list was requested.
        """
        informer = self._cache.existing(options.type, options.namespace)
        snapshot = informer.snapshot() if informer is not None else None
        if snapshot is None:
            return listing
        page = _page(snapshot, options, selectors)
        complete = len(listing.texts) == listing.total
        hashes = [hash(text) for text in listing.texts]
        if page.total != listing.total or hashes != [item.text_hash for item in page.entries]:
            ids = self._record_newer(options, listing, snapshot, asked_at)
            # An object that is missing from one page of several may be on another one.
            if complete:
                self._record_missing(options, snapshot, page, ids, asked_at)
            return listing
        if complete and options.whole:
            self._drop_settled(options.type, options.namespace, {item.id for item in snapshot.items}, asked_at)
        return CachedListResult(page)

    def _record_newer(self, options: ListOptions, listing: ListResult, snapshot: Snapshot, asked_at: float) -> set[str]:
        """Record each listed object that is newer than the snapshot's; return the ids of all listed objects."""
        unchanged = {item.text_hash: item.id for item in snapshot.items}
        cached_by_id = {item.id: item for item in snapshot.items}
        ids = set()
        for text in listing.texts:
            # By hash first: a text that the snapshot has need not be parsed for its id.
            id = unchanged.get(hash(text))
            if id is not None:
                ids.add(id)
                continue
            item = CachedObject(text)
            ids.add(item.id)
            cached = cached_by_id.get(item.id)
            # The event may have arrived between the list and the snapshot: then the snapshot is the newer one.
            if cached is None or (cached.created, cached.version) < (item.created, item.version):
                self._cache.read(options.type, options.namespace, item.id, item.version, item.created, asked_at)
        return ids

    def _record_missing(
        self, options: ListOptions, snapshot: Snapshot, page: SnapshotPage, listed: set[str], asked_at: float
    ) -> None:
        """Record each object that a complete list should contain and does not: it was deleted, or does not match now.

        ``listed``: the ids in the list.
        """
        type, namespace = options.type, options.namespace
        if options.whole:
            for id in ({item.id for item in snapshot.items} | self._expected_ids(type, namespace)) - listed:
                self._cache.missing(type, namespace, id, asked_at)
        now = self._cache.now()
        for item in page.entries:
            # With a selector, a missing object may exist with other labels: its next version, or its deletion, will do.
            if item.id not in listed:
                expected = AtLeast(asked_at, now, now, item.created, item.version + 1)
                self._cache.expect(type, namespace, item.id, expected)

    def _drop_settled(self, type: str, namespace: str, listed: set[str], asked_at: float) -> None:
        """Drop expectations that no event can meet any more; called when a list of all objects equals the informer.

        An expected object that is in neither was deleted meanwhile, and is recorded so.
        """
        for id in self._expected_ids(type, namespace) - listed:
            self._cache.missing(type, namespace, id, asked_at)
        for id in listed.intersection(self._cache.pending_writes.ids((type, namespace))):
            self._drop_equal(type, namespace, id, asked_at)

    def _drop_equal(self, type: str, namespace: str, id: str, asked_at: float) -> None:
        """Drop expectations of an object, as a read that was sent at ``asked_at`` equals the informer's object.

        A write that is younger than Omni's reads may be behind it stays: the read may have been before it.
        """
        pending = self._cache.pending_writes.find((type, namespace), id)
        settled = [each for each in pending if each.settled_at <= asked_at]
        self._cache.pending_writes.drop((type, namespace), id, settled)

    def _expected_ids(self, type: str, namespace: str) -> set[str]:
        """Return the ids of objects that are expected to exist."""
        pending_writes, key = self._cache.pending_writes, (type, namespace)
        return {
            id
            for id in pending_writes.ids(key)
            if any(isinstance(each, AtLeast) for each in pending_writes.find(key, id))
        }

    def _snapshot(self, type: str, namespace: str, patience: float) -> Snapshot | None:
        informer = self.informer_for(type, namespace, patience)
        if informer is None:
            return None
        snapshot = informer.snapshot()
        if snapshot is None:
            # Its watch has ended between the check and the read.
            self._record().forward(cache_status.WATCH_INTERRUPTED)
        else:
            self._hit(Dependency(informer, snapshot))
        return snapshot

    def _hit(self, part: Dependency) -> None:
        self._record().hit(part, self._cache.age(part.informer))

    def informer_for(self, type: str, namespace: str, patience: float = 0.0) -> Informer | None:
        """Return the informer if this request may read from it; otherwise record why the read is forwarded.

        Waits for an informer's first bootstrap (``patience``: see ``Informer.wait_for_sync``), and for pending writes
        to be delivered.
        """
        if namespace in COMPUTED:
            # Omni computes these for the caller of each request: there is no common state to copy.
            self._record().forward(cache_status.COMPUTED)
            return None
        max_age = self._record().max_age
        if max_age == 0:
            self._record().forward(cache_status.NO_CACHE)
            return None
        # Looked up before the read starts an informer, and before one that lists becomes ready.
        reason = _reason_not_current(self._cache.existing(type, namespace))
        informer = self._cache.informer(type, namespace)
        if informer is None:
            self._record().forward(reason)
            started = self._cache.existing(type, namespace)
            # Wait for the first bootstrap: one list then answers all reads that come meanwhile, instead of one each.
            if started is None or not started.wait_for_sync(patience):
                return None
            informer = self._cache.informer(type, namespace)
        if informer is None:
            return None
        if max_age is not None and self._cache.age(informer) > max_age:
            self._record().forward(cache_status.MAX_AGE)
            return None
        if not self._shows_pending_writes(informer):
            self._record().forward(cache_status.PENDING_WRITE)
            return None
        return informer

    def _shows_pending_writes(self, informer: Informer) -> bool:
        """Return True once an informer meets all expectations of its type; they are dropped then.

        Waits for events, up to :data:`OWN_WRITE_SECONDS` for all objects together; then reads the objects from Omni.
        """
        until = self._cache.now() + OWN_WRITE_SECONDS
        ids = self._cache.pending_writes.ids((informer.name, informer.namespace))
        return all(self._shows(informer, id, until) for id in ids)

    def _shows(self, informer: Informer, id: str, until: float) -> bool:
        """Return True if an informer meets the expectations of an object, or once a direct read equals it.

        Has the informer list anew after :data:`LOST_EVENT_SECONDS` without either.
        """
        if self._is_delivered(informer, id, until):
            return True
        self._read_back(informer, id)
        if self._is_delivered(informer, id, until):
            return True
        pending = self._cache.pending_writes.find((informer.name, informer.namespace), id)
        if any(each.sent_at + LOST_EVENT_SECONDS < self._cache.now() for each in pending):
            informer.relist()
        return False

    def _is_delivered(self, informer: Informer, id: str, until: float) -> bool:
        """Wait until events have met the expectations of an object.

        Returns False at once for a write whose result is not known: only a direct read can meet that expectation.
        """
        key = (informer.name, informer.namespace)
        pending = self._cache.pending_writes.find(key, id)
        if any(isinstance(each, Unknown) and not informer.met(id, each) for each in pending):
            return False
        # Counted from the last write too, so that later reads do not wait again.
        last = max((each.sent_at for each in pending), default=0.0)
        if not informer.wait_for(id, pending, min(until, last + OWN_WRITE_SECONDS)):
            return False
        self._cache.pending_writes.drop(key, id, pending)
        return True

    def _read_back(self, informer: Informer, id: str) -> None:
        """Read an object from Omni, and compare it with the informer's: a write that changed nothing has no event."""
        type, namespace, asked_at = informer.name, informer.namespace, self._cache.now()
        try:
            direct = CachedObject(self.get_text(type, id, namespace))
        except errors.NotFound:
            return  # get_text() has recorded it
        ready, item = informer.find(id)
        if ready and item is not None and item.text_hash == direct.text_hash:
            self._drop_equal(type, namespace, id, asked_at)
        else:
            self._cache.read(type, namespace, id, direct.version, direct.created, asked_at)


class CachingClient(OmniClient):
    """An Omni client that owns the process's informers; :meth:`reading` returns the client that reads from them."""

    def __init__(self, config: OmniConfig, *, signer: Signer | None = None) -> None:
        self.cache = Informers(self._open_watch, self.ping)
        self._observer = self.cache
        self._owns_cache = True
        super().__init__(config, signer=signer)

    def _open_watch(self, type: str, namespace: str) -> Stream[RawEvent]:
        return self.resources.follow(type, namespace)

    def acting_as(self, signer: Signer) -> Self:
        """Return a client with another identity. Its writes are recorded in this cache, its reads go to Omni.

        The informers list with the gateway's identity, which may read more than another one.
        """
        other = super().acting_as(signer)
        other._owns_cache = False
        return other

    def reading(self, record: Callable[[], ReadRecord]) -> Self:
        """Return a client that cannot write, and reads from the informers while these are current.

        ``record`` returns the :class:`ReadRecord` of the request in flight, which receives its hits and calls.
        """
        other = copy.copy(self)
        other._owns_holder = False
        other._serve(self._calls.noted(lambda: record().note_call()).only_reads())
        other.resources = CachedResources(other._calls, self.cache, record)
        return other

    def close(self) -> None:
        """Close the informers, then the connection; copies of the client close neither."""
        if self._owns_holder:
            self.cache.close()
        super().close()


def informers_of(omni: OmniClient, places: Iterable[tuple[str, str]]) -> Sequence[Informer] | None:
    """Return the informers of types, given with their namespaces, if this request may read from all of them.

    They show all pending writes. Returns None for a client that reads from Omni.
    """
    resources = omni.resources
    if not isinstance(resources, CachedResources):
        return None
    found = [resources.informer_for(type, namespace) for type, namespace in places]
    return None if None in found else [informer for informer in found if informer is not None]


def find_written(
    omni: OmniClient, type: str, id: str, namespace: str, created: Mapping[str, Any] | None
) -> CachedObject | None:
    """Return an object that this process has just written, from the informer of its type; makes no call to Omni.

    Returns None, and the caller has to read from Omni, if there is no current informer, if the write's event does not
    arrive within :data:`WRITTEN_SECONDS`, or if the result of an update is not known. ``created``: what an object was
    created with, None after an update; also None is returned if the object does not contain it, for it may be an
    earlier one of the same id. Always None for a caller with an Omni identity of its own, as informers use the
    gateway's.
    """
    if not isinstance(omni, CachingClient) or not omni._owns_cache:
        return None
    cache = omni.cache
    pending = cache.pending_writes.find((type, namespace), id)
    informer = cache.informer(type, namespace) if pending else None
    waitable = [each for each in pending if not isinstance(each, Unknown)]
    if informer is None or (created is None and len(waitable) < len(pending)):
        return None
    now = cache.now()
    present = AtLeast(now, now, now, "", 0)
    if not informer.wait_for(id, [*waitable, present], now + WRITTEN_SECONDS):
        return None
    ready, item = informer.find(id)
    if not ready or item is None or (created is not None and not outcomes.holds(created, item.body())):
        return None
    return item
