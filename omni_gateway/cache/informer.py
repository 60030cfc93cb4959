"""A local copy of one type's objects, kept current by one watch.

The watch lists first (Omni's bootstrap) and then sends changes in Omni's order; a copy is replaced as a whole after
each reconnection (a relist). While an informer is not :attr:`Informer.ready` (before the first bootstrap has ended, or
after the watch has ended), it answers no reads. During a relist the previous objects are retained internally, so that
followers receive the difference instead of a second list.
"""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Protocol

from omni_gateway.cache.cached_object import CachedObject, DictionaryCompressor
from omni_gateway.cache.clock import MONOTONIC, Clock
from omni_gateway.cache.label_index import LabelIndex
from omni_gateway.cache.pending_writes import Expectation, Tombstone
from omni_gateway.cache.snapshot import Snapshot
from omni_gateway.omni.errors import Cancelled, MessageTooLarge, OmniError, ResourceExhausted, Unavailable
from omni_gateway.omni.selectors import Selector
from omni_gateway.omni.watch import RawEvent, WatchKind

log = logging.getLogger(__name__)

InformerEvent = tuple[WatchKind, CachedObject, CachedObject | None]
"""A change: its kind, the object (of a destroyed one: its last state), and the object's previous version."""
Follower = Callable[[InformerEvent | None], None]

_MOST_TOMBSTONES = 10_000
#: The longest pause after a watch that has listed, and after many that have not, in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
#: How long reads wait for an informer's first bootstrap, in seconds: ten thousand objects take one or two. Reads that
#: can wait longer do so until no object has come for this long.
SYNC_SECONDS = 2.0


class Source(Protocol):
    """An open watch: iterates over (kind, JSON text), and ends when cancelled from any thread."""

    def __iter__(self) -> Iterator[RawEvent]: ...

    def cancel(self) -> None:
        """End the iteration."""


class Informer:
    """One type's objects; its methods may be called from any thread.

    ``open_watch`` opens a watch with bootstrap; it raises ``OmniError``. ``ready``: reads may use the objects.
    ``unwatchable``: the error with which Omni refused the watch, None while there is no such refusal. ``size``: bytes
    of all objects. ``relists``: how many bootstraps have been completed. ``last_event_at``, ``last_used_at``:
    seconds of ``clock``. ``last_change``: when the last change arrived (Unix time), and Omni's time of it.
    ``watch_ended_at``: when the watch ended last, of the clock.
    """

    def __init__(self, name: str, namespace: str, open_watch: Callable[[], Source], clock: Clock = MONOTONIC) -> None:
        self.name = name
        self.namespace = namespace
        self._open_watch = open_watch
        self._clock = clock
        # One lock for objects, index, tombstones and followers: a follower's initial list and its first event must
        # not have a gap or an overlap between them. Re-entrant, for followers are called while it is held and may
        # call back, such as to unsubscribe.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._objects: dict[str, CachedObject] = {}
        self._ids: list[str] = []
        self._labels = LabelIndex()
        self._compressor = DictionaryCompressor()
        self._snapshot: Snapshot | None = None
        self._tombstones: dict[str, Tombstone] = {}
        self._followers: list[Follower] = []
        self._source: Source | None = None
        self._opening_at = self._opened_at = 0.0
        self._closed = False
        self.ready = False
        self.unwatchable: OmniError | None = None
        self.size = self.relists = 0
        self.last_event_at = self.watch_ended_at = 0.0
        self.last_change: tuple[float, str] | None = None
        self.last_used_at = self._created_at = self._clock.now()

    def start(self) -> None:
        """Run the watch in a thread of its own, until :meth:`close`."""
        threading.Thread(target=self._run, name=f"informer-{self.name}", daemon=True).start()

    def close(self) -> None:
        """Stop the watch, drop all objects and end every follower; an informer is not started again."""
        with self._lock:
            self._closed, self.ready = True, False
            source, self._objects, self._ids, self._snapshot = self._source, {}, [], None
            self._labels.clear()
            self._notify(None)
            self._followers.clear()
            self._changed.notify_all()
        # Outside of the lock: the watch's thread may be waiting for the lock to deliver an event.
        if source is not None:
            source.cancel()

    @property
    def object_count(self) -> int:
        """Return the number of objects."""
        return len(self._objects)

    # -- reads

    def snapshot(self) -> Snapshot | None:
        """Return all objects as of now; None while the informer is not ready."""
        with self._lock:
            if not self.ready:
                return None
            if self._snapshot is None:
                # Made at the first read after a change, not at each change: a burst of events costs one.
                self._snapshot = Snapshot(tuple(map(self._objects.__getitem__, self._ids)), self._choose)
            return self._snapshot

    def shows(self, snapshot: Snapshot) -> bool:
        """Return True if nothing has changed since ``snapshot`` was taken."""
        with self._lock:
            return self.ready and self._snapshot is snapshot

    def _choose(self, snapshot: Snapshot, selector: Selector) -> Sequence[CachedObject]:
        """Return the objects of a snapshot that a selector matches, ordered by id."""
        with self._lock:
            # The index follows the present objects, so it serves the present snapshot only.
            if self._snapshot is snapshot:
                return sorted(self._labels.choose(selector, self._objects), key=attrgetter("id"))
        return [item for item in snapshot.items if selector.matches(item.labels)]

    def find(self, id: str) -> tuple[bool, CachedObject | None]:
        """Return (ready, object or None); while not ready the object is the one from before the watch ended."""
        with self._lock:
            return self.ready, self._objects.get(id)

    def wait_for(self, id: str, expected: Sequence[Expectation], deadline: float) -> bool:
        """Wait until all that is expected of an object is met.

        Returns False when ``deadline`` (seconds of the clock) passes first, or when the informer is not ready any more.
        """
        with self._changed:
            while self.ready and not all(self._met(id, each) for each in expected):
                remaining = deadline - self._clock.now()
                if remaining <= 0:
                    return False
                self._clock.wait(self._changed, remaining)
            return self.ready

    def wait_for_sync(self, patience: float = 0.0) -> bool:
        """Wait for the first bootstrap to end, at most :data:`SYNC_SECONDS` after the informer was created.

        ``patience``: wait for so many seconds from now instead if that is longer, while objects keep coming.
        Returns False when that passes, when Omni refuses the watch, or when the informer is closed; also after an
        interruption later on, for then a read is better forwarded than delayed.
        """
        patient_until = self._clock.now() + patience
        with self._changed:
            while not self.ready and not self.relists and not self._closed and self.unwatchable is None:
                # An event is no reason to wake up: the silence after the last one is looked for at its end.
                ends = min(patient_until, self.last_event_at + SYNC_SECONDS)
                remaining = max(self._created_at + SYNC_SECONDS, ends) - self._clock.now()
                if remaining <= 0:
                    return False
                self._clock.wait(self._changed, remaining)
            return self.ready

    def met(self, id: str, expected: Expectation) -> bool:
        """Return True if an expectation of an object is met by now; does not wait."""
        with self._lock:
            return self._met(id, expected)

    def _met(self, id: str, expected: Expectation) -> bool:
        # A bootstrap lists what Omni holds when the watch is opened. A write from before that needs no event.
        if expected.known_at < self._opened_at:
            return True
        tombstone = self._tombstones.get(id)
        if tombstone is not None and tombstone.deleted_at < expected.sent_at:
            tombstone = None
        return expected.met(self._objects.get(id), tombstone)

    def relist(self) -> None:
        """Open the watch anew, as it does not show Omni's state; the informer is not ready until that has listed."""
        with self._lock:
            if not self.ready:
                return
            self.ready, source = False, self._source
            self.watch_ended_at = self._clock.now()
            self._changed.notify_all()
        log.info("%s is listed anew: its watch does not show what Omni has", self.name)
        if source is not None:
            source.cancel()

    def items(self, selector: Selector | None = None) -> Sequence[CachedObject]:
        """Return the objects that a selector matches (all without one), ordered by id.

        Also while the informer is not ready: then those from before the watch ended, which its followers know.
        """
        with self._lock:
            if selector is None:
                return [self._objects[id] for id in self._ids]
            return sorted(self._labels.choose(selector, self._objects), key=attrgetter("id"))

    def follow(self, notify: Follower) -> Callable[[], None] | None:
        """Call ``notify`` with each change from now on, and with None at the end.

        It is called with the lock held: it must be quick, and must not block. Returns the function that ends it; None
        while the informer is not ready.
        """
        with self._lock:
            if not self.ready:
                return None
            self._followers.append(notify)
            return lambda: self._unfollow(notify)

    @property
    def has_followers(self) -> bool:
        """True while there is a follower; such an informer is not evicted as idle."""
        with self._lock:
            return bool(self._followers)

    def _unfollow(self, notify: Follower) -> None:
        with self._lock:
            if notify in self._followers:
                self._followers.remove(notify)

    # -- the watch, in a thread of its own

    def _run(self) -> None:
        """Open the watch and read it, with exponential backoff and jitter, until closed or refused by Omni."""
        longest = _FIRST_PAUSE
        while not self._closed:
            relists = self.relists
            try:
                source = self._open()
                if source is None:
                    return
                self._read(source)
            except OmniError as error:
                if not _is_temporary(error) and not self._closed:
                    log.info("the watch of %s ended: %s", self.name, error)
                    # A refusal is final only while there are no objects: a type that could be watched before can be
                    # watched again.
                    self.unwatchable = error if not self.size else self.unwatchable
            except Exception:
                log.exception("the watch of %s failed", self.name)
            with self._changed:
                # The backoff starts over after a watch that got as far as its bootstrap. A restart of Omni ends the
                # watches of all types and workers at once: at random times, their lists do not come at once too.
                has_listed = self.relists > relists
                longest = _FIRST_PAUSE if has_listed else min(longest * 2, _LONGEST_PAUSE)
                pause = self._clock.jitter(0.0 if has_listed else longest / 2, longest)
                if self.ready:
                    self.watch_ended_at = self._clock.now()
                self.ready = False
                self._changed.notify_all()
                if self.unwatchable is not None or self._closed:
                    return
                self._changed.wait(pause)

    def _open(self) -> Source | None:
        """Open a watch; None where the informer was closed meanwhile."""
        # Taken before the call: of a write that was sent while the watch was being opened, nothing is known.
        self._opening_at = self._clock.now()
        source = self._open_watch()
        with self._lock:
            # close() may have run during the call, and found no source to cancel.
            if self._closed:
                source.cancel()
                return None
            self._source = source
        return source

    def _read(self, source: Source) -> None:
        """Apply a watch's events until it ends; raises ``OmniError`` where it ends by an error."""
        # The bootstrap is collected aside, and replaces the objects at once: reads never see a part of it.
        listed: dict[str, CachedObject] | None = {}
        for kind, text in source:
            with self._changed:
                if self._closed:
                    return
                self.last_event_at = self._clock.now()
                if kind == "bootstrapped":
                    if listed is not None:
                        self._replace(listed)
                    listed = None
                elif listed is not None:
                    _apply(listed, kind, CachedObject(text, self._compressor))
                else:
                    self._apply_event(kind, CachedObject(text, self._compressor))

    def _replace(self, listed: dict[str, CachedObject]) -> None:
        """Replace all objects by those of a bootstrap, and notify followers of the difference."""
        before, self._objects, self._ids, self._snapshot = self._objects, listed, sorted(listed), None
        self._labels.clear()
        self.size = sum(len(item) for item in listed.values())
        self.ready, self._opened_at = True, self._opening_at
        self.relists += 1
        for id in before.keys() - listed.keys():
            # Deleted while there was no watch: no event of it will come, and a pending write may wait for it.
            self._add_tombstone(before[id])
            self._notify(("destroyed", before[id], before[id]))
        for id, item in listed.items():
            old = before.get(id)
            if old is None:
                self._notify(("created", item, None))
            elif old.text_hash != item.text_hash:
                self._notify(("updated", item, old))
        self._changed.notify_all()

    def _apply_event(self, kind: WatchKind, item: CachedObject) -> None:
        """Apply one event after the bootstrap; called with the lock held."""
        old = self._objects.get(item.id)
        _apply(self._objects, kind, item)
        if old is None and kind != "destroyed":
            insort(self._ids, item.id)
        elif kind == "destroyed":
            if old is not None:
                del self._ids[bisect_left(self._ids, item.id)]
            self._add_tombstone(item)
        if kind != "destroyed":
            self.last_change = (time.time(), item.updated or item.created)
        self._labels.change(old, None if kind == "destroyed" else item)
        self.size += (0 if kind == "destroyed" else len(item)) - (len(old) if old else 0)
        self._snapshot = None
        self._notify((kind, item, old))
        self._changed.notify_all()

    def _add_tombstone(self, item: CachedObject) -> None:
        if len(self._tombstones) >= _MOST_TOMBSTONES:
            # Safe: a pending write whose tombstone is lost is not met, and reads go to Omni until the type is relisted.
            self._tombstones.clear()
        self._tombstones[item.id] = Tombstone(self._clock.now(), item)

    def _notify(self, event: InformerEvent | None) -> None:
        # A copy, for a follower may unsubscribe while it is notified.
        for notify in tuple(self._followers):
            notify(event)


def _is_temporary(error: OmniError) -> bool:
    """Return whether the watch is opened again after an error, by the same informer."""
    if isinstance(error, MessageTooLarge):
        return False
    return isinstance(error, (Unavailable, Cancelled, ResourceExhausted))


def _apply(objects: dict[str, CachedObject], kind: WatchKind, item: CachedObject) -> None:
    if kind == "destroyed":
        objects.pop(item.id, None)
    else:
        objects[item.id] = item
