"""The objects of one type, kept by one watch.

What is here is what Omni said, in the order in which it said it. A feed that is not complete yet, or whose watch has
ended, is not :attr:`live`; while it begins anew, the old objects are kept aside for nobody to read, so that what is
followed can be told the difference.
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
from omni_gateway.cache.label_index import LabelIndex
from omni_gateway.cache.pending_writes import PendingWrite, Tombstone
from omni_gateway.cache.snapshot import Snapshot
from omni_gateway.omni.errors import Cancelled, OmniError, Unavailable
from omni_gateway.omni.selectors import Selector
from omni_gateway.omni.watch import RawEvent, WatchKind

log = logging.getLogger(__name__)

InformerEvent = tuple[WatchKind, CachedObject, CachedObject | None]
"""What happened: the kind, the object (of a destroyed one: as it was last), and what it was before."""
Follower = Callable[[InformerEvent | None], None]

_MOST_TOMBSTONES = 10_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
#: How long after its beginning a feed is waited for: ten thousand objects take a second or two.
BEGIN_SECONDS = 2.0


class Source(Protocol):
    """An open watch: iterates over kind and JSON text, and ends when cancelled from any thread."""

    def __iter__(self) -> Iterator[RawEvent]: ...

    def cancel(self) -> None:
        """End it."""


class Informer:
    """One type's objects; safe for any thread. ``open_watch`` opens a watch with bootstrap."""

    def __init__(self, name: str, namespace: str, open_watch: Callable[[], Source]) -> None:
        self.name = name
        self.namespace = namespace
        self._open_watch = open_watch
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._objects: dict[str, CachedObject] = {}
        self._ids: list[str] = []
        self._labels = LabelIndex()
        self._packing = DictionaryCompressor()
        self._snapshot: Snapshot | None = None
        self._tombstones: dict[str, Tombstone] = {}
        self._followers: list[Follower] = []
        self._source: Source | None = None
        self._opening = self._opened = 0.0
        self._closed = False
        self.ready = False
        self.unwatchable: OmniError | None = None
        self.size = self.relists = 0
        self.last_event_at = 0.0
        self.last_used_at = self._made = time.monotonic()

    def start(self) -> None:
        """Follow the type in a thread of its own, until closed."""
        threading.Thread(target=self._run, name=f"feed-{self.name}", daemon=True).start()

    def close(self) -> None:
        """Let the type go."""
        with self._lock:
            self._closed, self.ready = True, False
            source, self._objects, self._ids, self._snapshot = self._source, {}, [], None
            self._labels.clear()
            self._notify(None)
            self._followers.clear()
            self._changed.notify_all()
        if source is not None:
            source.cancel()

    # -- reading

    def snapshot(self) -> Snapshot | None:
        """Return all objects as they are now; None when the feed is not live."""
        with self._lock:
            if not self.ready:
                return None
            if self._snapshot is None:
                self._snapshot = Snapshot(tuple(map(self._objects.__getitem__, self._ids)), self._choose)
            return self._snapshot

    def shows(self, snapshot: Snapshot) -> bool:
        """Whether all objects are still as they were then."""
        with self._lock:
            return self.ready and self._snapshot is snapshot

    def _choose(self, snapshot: Snapshot, selector: Selector) -> Sequence[CachedObject]:
        """Return those of a snapshot's objects that a selector takes: by their labels, while the feed shows it."""
        with self._lock:
            if self._snapshot is snapshot:
                return sorted(self._labels.choose(selector, self._objects), key=attrgetter("id"))
        return [item for item in snapshot.items if selector.matches(item.labels)]

    def find(self, id: str) -> tuple[bool, CachedObject | None]:
        """Return whether the feed is live, and the object if there is one."""
        with self._lock:
            return self.ready, self._objects.get(id)

    def wait_for(self, id: str, pending: PendingWrite, deadline: float) -> bool:
        """Wait until a mark is met; False when ``deadline`` (monotonic) passes first."""
        with self._changed:
            while self.ready and not self._met(id, pending):
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return self.ready

    def wait_for_beginning(self) -> bool:
        """Wait until the feed is live for the first time; False when it will not be, or takes too long."""
        with self._changed:
            while not self.ready and not self.relists and not self._closed and self.unwatchable is None:
                left = self._made + BEGIN_SECONDS - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return self.ready

    def met(self, id: str, pending: PendingWrite) -> bool:
        """Whether a mark is met already."""
        with self._lock:
            return self._met(id, pending)

    def _met(self, id: str, pending: PendingWrite) -> bool:
        """What was before the present watch was opened, its bootstrap told."""
        return pending.at < self._opened or pending.met(self._objects.get(id), self._tombstones.get(id))

    def follow(self, tell: Follower, begin: Callable[[list[CachedObject]], None]) -> Callable[[], None] | None:
        """Call ``begin`` with what is there now and ``tell`` with every change after it (None: there will be no more).

        Both are called under the lock: be quick. Return what ends it; None when the feed is not live.
        """
        with self._lock:
            if not self.ready:
                return None
            self._followers.append(tell)
            begin([self._objects[id] for id in self._ids])
            return lambda: self._leave(tell)

    @property
    def followed(self) -> bool:
        """Whether anybody follows."""
        with self._lock:
            return bool(self._followers)

    def _leave(self, tell: Follower) -> None:
        with self._lock:
            if tell in self._followers:
                self._followers.remove(tell)

    # -- following Omni

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while not self._closed:
            try:
                source = self._open()
                if source is None:
                    return
                self._read(source)
            except OmniError as error:
                if not isinstance(error, (Unavailable, Cancelled)) and not self._closed:
                    log.info("the watch of %s ended: %s", self.name, error)
                    self.unwatchable = error if not self.size else self.unwatchable
            except Exception:
                log.exception("the watch of %s failed", self.name)
            with self._changed:
                pause = _FIRST_PAUSE if self.ready else min(pause * 2, _LONGEST_PAUSE)
                self.ready = False
                if self.unwatchable is not None or self._closed:
                    self._changed.notify_all()
                    return
                self._changed.wait(pause)

    def _open(self) -> Source | None:
        self._opening = time.monotonic()
        source = self._open_watch()
        with self._lock:
            if self._closed:
                source.cancel()
                return None
            self._source = source
        return source

    def _read(self, source: Source) -> None:
        fresh: dict[str, CachedObject] | None = {}
        for kind, text in source:
            with self._changed:
                if self._closed:
                    return
                self.last_event_at = time.monotonic()
                if kind == "bootstrapped":
                    if fresh is not None:
                        self._begin(fresh)
                    fresh = None
                elif fresh is not None:
                    _apply(fresh, kind, CachedObject(text, self._packing))
                else:
                    self._apply_event(kind, CachedObject(text, self._packing))

    def _begin(self, fresh: dict[str, CachedObject]) -> None:
        """Put what a new watch told in the place of what the last one did, and tell the difference."""
        before, self._objects, self._ids, self._snapshot = self._objects, fresh, sorted(fresh), None
        self._labels.clear()
        self.size = sum(len(item) for item in fresh.values())
        self.ready, self._opened = True, self._opening
        self.relists += 1
        for id in before.keys() - fresh.keys():
            self._add_tombstone(before[id])
            self._notify(("destroyed", before[id], None))
        for id, item in fresh.items():
            old = before.get(id)
            if old is None:
                self._notify(("created", item, None))
            elif old.text_hash != item.text_hash:
                self._notify(("updated", item, old))
        self._changed.notify_all()

    def _apply_event(self, kind: WatchKind, item: CachedObject) -> None:
        old = self._objects.get(item.id)
        _apply(self._objects, kind, item)
        if old is None and kind != "destroyed":
            insort(self._ids, item.id)
        elif kind == "destroyed":
            if old is not None:
                del self._ids[bisect_left(self._ids, item.id)]
            self._add_tombstone(item)
        self._labels.change(old, None if kind == "destroyed" else item)
        self.size += (0 if kind == "destroyed" else len(item)) - (len(old) if old else 0)
        self._snapshot = None
        self._notify((kind, item, old))
        self._changed.notify_all()

    def _add_tombstone(self, item: CachedObject) -> None:
        if len(self._tombstones) >= _MOST_TOMBSTONES:
            self._tombstones.clear()  # who waits for one of them asks Omni instead
        self._tombstones[item.id] = Tombstone(time.monotonic(), item)

    def _notify(self, told: InformerEvent | None) -> None:
        for tell in tuple(self._followers):
            tell(told)


def _apply(objects: dict[str, CachedObject], kind: WatchKind, item: CachedObject) -> None:
    if kind == "destroyed":
        objects.pop(item.id, None)
    else:
        objects[item.id] = item
