"""The informers of a process: started at a type's first read, evicted when idle, bounded in memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from omni_gateway.cache.clock import MONOTONIC, Clock
from omni_gateway.cache.informer import Informer, Source
from omni_gateway.cache.pending_writes import Kind, PendingWrite, PendingWrites
from omni_gateway.cache.read_record import Dependency
from omni_gateway.malloc import give_back
from omni_gateway.omni.errors import OmniError
from omni_gateway.omni.resources import Write

log = logging.getLogger(__name__)

#: Bytes of objects in all informers of a process (``Informers.max_size``; 0: no cache); one type may take half of it.
MAX_SIZE = 64 * 1024 * 1024
IDLE_SECONDS = 600.0
#: After this long without an event or a successful probe, an informer is not used for reads.
FRESH_SECONDS = 10.0
PROBE_SECONDS = 3.0
#: How long no informer is started for a type that is unwatchable or too large.
UNWATCHABLE_SECONDS = 300.0

Key = tuple[str, str]


_PENDING_KINDS: Mapping[str, Kind] = {
    "create": "created",
    "update": "at_least",
    "teardown": "tearing_down",
    "delete": "deleted",
}


class Informers:
    """The informers of one process, by type and namespace, and its pending writes.

    No thread is started before the first read, so a worker may be forked from a process that has created this object.
    ``open_watch(type, namespace)`` opens a watch with bootstrap; ``probe`` makes the cheapest call to Omni and raises
    ``OmniError`` without an answer.
    """

    def __init__(
        self, open_watch: Callable[[str, str], Source], probe: Callable[[], None], clock: Clock = MONOTONIC
    ) -> None:
        self._open_watch = open_watch
        self._probe = probe
        self.clock = clock
        # Guards the two dicts. Acquired before an informer's own lock, never while that is held.
        self._lock = threading.Lock()
        self._informers: dict[Key, Informer] = {}
        self._unwatchable: dict[Key, float] = {}
        self.pending_writes = PendingWrites()
        self._closed = threading.Event()
        self._maintainer: threading.Thread | None = None
        self._probed_at = 0.0
        self.max_size, self.idle_seconds = MAX_SIZE, IDLE_SECONDS

    def informer(self, type: str, namespace: str) -> Informer | None:
        """Return a type's informer if it is ready and current, None if the read must be forwarded to Omni.

        Starts an informer for later reads where there is none. Does not look at pending writes.
        """
        key = (type, namespace)
        now = self.clock.now()
        with self._lock:
            informer = self._informers.get(key)
            if informer is None:
                if self.max_size and self._unwatchable.get(key, 0.0) <= now and not self._closed.is_set():
                    self._start(key)
                return None
            informer.last_used_at = now
        # A watch of a type that never changes and one whose connection is silently broken look the same, hence the
        # probe. It shares the one connection to Omni with the watches.
        if not informer.ready or now - max(informer.last_event_at, self._probed_at) > FRESH_SECONDS:
            return None
        return informer

    def existing(self, type: str, namespace: str) -> Informer | None:
        """Return a type's informer in whatever state; starts none."""
        with self._lock:
            return self._informers.get((type, namespace))

    def created(self, type: str, namespace: str, id: str) -> str:
        """Return the creation time of the object that an informer has; empty without one."""
        informer = self.existing(type, namespace)
        cached = informer.find(id)[1] if informer is not None else None
        return cached.created if cached is not None else ""

    def now(self) -> float:
        """Return the present time, by the cache's clock."""
        return self.clock.now()

    def read(self, type: str, namespace: str, id: str, version: int, created: str) -> None:
        """Record the version that a direct read returned; called by the client."""
        self.add_pending_write(type, namespace, id, PendingWrite("at_least", version, created, at=self.now()))

    def missing(self, type: str, namespace: str, id: str, asked: float) -> None:
        """Record that a direct read found no object; ``asked`` (seconds of the clock) is before it was sent."""
        self.add_pending_write(type, namespace, id, PendingWrite("deleted", at=asked, existed=False))

    def written(self, type: str, namespace: str, id: str, write: Write) -> None:
        """Record a write that may have been applied; called by the client, also where the answer was lost."""
        kind = _PENDING_KINDS[write.kind] if write.kind != "update" or write.version else "unknown"
        self.add_pending_write(type, namespace, id, PendingWrite(kind, write.version, write.created, write.at))

    def add_pending_write(self, type: str, namespace: str, id: str, pending: PendingWrite) -> None:
        """Bypass the type's informer until its watch has delivered an expected state of an object.

        Does nothing where the type has no informer, for one that is started later lists the write's result; nor for an
        object that may never have existed and that a ready informer does not have.
        """
        informer, key = self.existing(type, namespace), (type, namespace)
        if informer is None:
            return
        _, cached = informer.find(id)
        before = self.pending_writes.find(key, id)
        if before is not None and informer.met(id, before):
            before = None
        if not pending.existed and informer.ready and cached is None and before is None:
            return
        if pending.kind not in ("at_least", "newer_than", "unknown"):
            # These are about an incarnation, which is the newest that is known of.
            known = [pending.created, before.created if before else ""]
            # Not for a create: its event may have arrived before its answer did, so that the informer's object may be
            # the very one that was created, and none newer than that would come.
            if pending.kind != "created" and cached is not None:
                known.append(cached.created)
            pending = replace(pending, created=max(known))
        self.pending_writes.set(key, id, pending.after(before))

    def age_of(self, parts: Sequence[Dependency], max_age: float | None) -> float | None:
        """Return the age in seconds of a response that was made from ``parts``; None if it must be made anew.

        That is when a dependency has changed, its informer is not current or has pending writes, or the response is
        older than ``max_age`` seconds.
        """
        oldest = 0.0
        for part in parts:
            informer = part.informer
            # Another instance means that the informer was evicted and started again: the old one gets no events.
            if self.informer(informer.name, informer.namespace) is not informer or self.pending_writes.any(
                (informer.name, informer.namespace)
            ):
                return None
            # The age is taken before the comparison: an event in between makes the age too great, never too small.
            oldest = max(oldest, self.age(informer))
            if not part.unchanged:
                return None
        return oldest if max_age is None or oldest <= max_age > 0 else None

    def age(self, informer: Informer) -> float:
        """Return the seconds since an informer was last known to equal Omni: since an event, or since a probe."""
        return max(0.0, self.clock.now() - max(informer.last_event_at, self._probed_at))

    def close(self) -> None:
        """Close all informers and stop their maintenance."""
        self._closed.set()
        with self._lock:
            informers, self._informers = list(self._informers.values()), {}
        for informer in informers:
            informer.close()

    def _start(self, key: Key) -> None:
        """Start an informer, and the maintenance thread with the first one; called with the lock held."""
        type, namespace = key
        informer = Informer(type, namespace, lambda: self._open_watch(type, namespace), self.clock)
        self._informers[key] = informer
        informer.start()
        if self._maintainer is None:
            self._maintainer = threading.Thread(target=self._maintain, name="informers", daemon=True)
            self._maintainer.start()

    def _maintain(self) -> None:
        """Probe the connection and evict informers every :data:`PROBE_SECONDS`, until closed."""
        relists = 0
        while not self._closed.wait(PROBE_SECONDS):
            self.evict()
            with self._lock:
                before, relists = relists, sum(informer.relists for informer in self._informers.values())
            # A bootstrap passes many times its objects' size through the allocator; glibc retains that by itself.
            if relists != before:
                give_back()
            self.probe()

    def probe(self) -> None:
        """Make the cheapest call to Omni; an answer proves that the connection works, which the watches share."""
        try:
            self._probe()
        except OmniError as error:
            log.debug("no answer to a probe: %s", error)
        else:
            self._probed_at = self.clock.now()

    def evict(self) -> None:
        """Close idle, unwatchable and too large informers, then least recently used ones until all fit the bound."""
        now = self.clock.now()
        evicted: list[Informer] = []
        with self._lock:
            for key, informer in list(self._informers.items()):
                idle = now - informer.last_used_at > self.idle_seconds and not informer.has_followers
                too_large = informer.size > self.max_size // 2
                if idle or too_large or informer.unwatchable is not None:
                    evicted.append(self._informers.pop(key))
                if too_large or informer.unwatchable is not None:
                    self._unwatchable[key] = now + UNWATCHABLE_SECONDS
            total = sum(informer.size for informer in self._informers.values())
            for key, informer in sorted(self._informers.items(), key=lambda pair: pair[1].last_used_at):
                if total <= self.max_size:
                    break
                total -= informer.size
                evicted.append(self._informers.pop(key))
                # Without a pause, two types that do not fit together would evict each other at every read.
                self._unwatchable[key] = now + UNWATCHABLE_SECONDS
        # Outside of the lock: close() notifies followers.
        for informer in evicted:
            self.pending_writes.drop_all((informer.name, informer.namespace))
            log.info("%s is not followed any more (%d bytes)", informer.name, informer.size)
            informer.close()
