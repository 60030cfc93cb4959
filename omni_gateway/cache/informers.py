"""The informers of a process: started at a type's first read, evicted when idle, bounded in memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from omni_gateway.cache.cached_object import CachedObject
from omni_gateway.cache.clock import MONOTONIC, Clock
from omni_gateway.cache.informer import Informer, Source
from omni_gateway.cache.pending_writes import AtLeast, Expectation, Gone, PendingWrites, Unknown
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

#: Omni's reads lag behind its writes; a read that is sent this long after a write returns its result.
SETTLED_SECONDS = 2.0

_DOES_NOT_FIT = (
    "the cache does not hold %s for the next five minutes, and its reads go to Omni: it takes %d bytes, and there is"
    " room for %d. Raise OMNI_GATEWAY_CACHE_BYTES"
)

Key = tuple[str, str]


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
        #: Return the present time, by the cache's clock.
        self.now = clock.now
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

    def all(self) -> Sequence[Informer]:
        """Return all informers, in whatever state."""
        with self._lock:
            return tuple(self._informers.values())

    def created(self, type: str, namespace: str, id: str) -> str:
        """Return the creation time of the object that an informer has; empty without one."""
        informer = self.existing(type, namespace)
        cached = informer.find(id)[1] if informer is not None else None
        return cached.created if cached is not None else ""

    def read(self, type: str, namespace: str, id: str, version: int, created: str, asked_at: float) -> None:
        """Record the version that a direct read returned, which also settles the result of an unknown write.

        ``asked_at`` (seconds of the clock) is before the read was sent.
        """
        informer, key = self.existing(type, namespace), (type, namespace)
        if informer is None:
            return
        now = self.now()
        expected = AtLeast(asked_at, now, now, created, version)
        if not informer.met(id, expected):
            self.expect(type, namespace, id, expected)
        for each in self.pending_writes.find(key, id):
            if isinstance(each, Unknown) and each.settled_at <= asked_at:
                self.pending_writes.drop(key, id, [each])

    def missing(self, type: str, namespace: str, id: str, asked_at: float) -> None:
        """Record that a direct read, or a list of all objects, that was sent at ``asked_at`` did not return an object.

        It counts only for an object that an informer has, or that is expected of it: of any other no event may follow.
        """
        informer, key = self.existing(type, namespace), (type, namespace)
        if informer is None:
            return
        item = informer.find(id)[1]
        pending = self.pending_writes.find(key, id)
        awaited = [
            each
            for each in pending
            if not (isinstance(each, Gone) and not each.teardown)
            and each.known_at <= asked_at
            and not informer.met(id, each)
        ]
        existed = item is not None or bool(awaited)
        # Before an informer has listed, what it is going to have is not known.
        if not existed and informer.ready:
            return
        now = self.now()
        expected = Gone(asked_at, now, now, _newest(item, awaited), existed=existed)
        # Known already: recording it again would only postpone the time at which its event counts as lost.
        if not any(
            isinstance(each, Gone) and not each.teardown and each.created >= expected.created for each in pending
        ):
            self.expect(type, namespace, id, expected)
        if item is None and any(
            isinstance(each, Unknown) and each.known_at + SETTLED_SECONDS <= asked_at for each in awaited
        ):
            # The write's result is gone, and nothing shows which of the events that may still come are of it.
            informer.relist()

    def written(self, type: str, namespace: str, id: str, write: Write, *, answered: bool) -> None:
        """Record a write that may have been applied; called by the client. ``answered``: Omni has confirmed it."""
        now = self.now()
        settled_at = now + SETTLED_SECONDS
        if write.kind in ("teardown", "delete"):
            informer = self.existing(type, namespace)
            item = informer.find(id)[1] if informer is not None else None
            pending = self.pending_writes.find((type, namespace), id)
            created = _newest(item, [each for each in pending if isinstance(each, AtLeast)])
            # A deletion without an answer may have ended as a teardown: finalizers hold the object.
            teardown = write.kind == "teardown" or not answered
            self.expect(type, namespace, id, Gone(write.at, now, settled_at, created, teardown))
        elif write.kind == "create":
            if answered and write.created:
                # The object of this id that the informer had before, which Omni's answer proves to be gone.
                self.expect(type, namespace, id, Gone(write.at, now, settled_at, write.created))
            # Any object that is read after a confirmed create is its result.
            self.expect(type, namespace, id, Unknown(write.at, now, now if answered else settled_at))
        elif write.created and write.version:
            self.expect(type, namespace, id, AtLeast(write.at, now, settled_at, write.created, write.version))
        else:
            self.expect(type, namespace, id, Unknown(write.at, now, settled_at))

    def expect(self, type: str, namespace: str, id: str, expected: Expectation) -> None:
        """Bypass the type's informer until its watch has met the expectation of an object.

        Does nothing where the type has no informer, for one that is started later lists the write's result.
        """
        informer, key = self.existing(type, namespace), (type, namespace)
        if informer is None:
            return
        pending = self.pending_writes.find(key, id)
        # What is met by now must not be joined with what is expected from now on.
        self.pending_writes.drop(key, id, [each for each in pending if informer.met(id, each)])
        self.pending_writes.add(key, id, expected)

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

    def staleness(self, informer: Informer) -> float:
        """Return for how long an informer that has listed once may have been behind Omni, in seconds.

        Its :meth:`age` while its watch is open; while the watch is opened anew, the time since it ended, as a probe
        says nothing of what was missed meanwhile.
        """
        return self.age(informer) if informer.ready else max(0.0, self.clock.now() - informer.watch_ended_at)

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
        """Probe the connection and evict informers every :data:`PROBE_SECONDS`, until closed or the last is evicted."""
        relists = 0
        while not self._closed.wait(PROBE_SECONDS):
            self.evict()
            with self._lock:
                before, relists = relists, sum(informer.relists for informer in self._informers.values())
                ended = not self._informers
                if ended:
                    self._maintainer = None  # the next informer starts it again
            # A bootstrap passes many times its objects' size through the allocator; glibc retains that by itself.
            if relists != before:
                give_back()
            if ended:
                return
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
                if too_large:
                    log.warning(_DOES_NOT_FIT, informer.name, informer.size, self.max_size // 2)
                if too_large or informer.unwatchable is not None:
                    self._unwatchable[key] = now + UNWATCHABLE_SECONDS
            total = sum(informer.size for informer in self._informers.values())
            for key, informer in sorted(self._informers.items(), key=lambda pair: pair[1].last_used_at):
                if total <= self.max_size:
                    break
                total -= informer.size
                evicted.append(self._informers.pop(key))
                log.warning(_DOES_NOT_FIT, informer.name, informer.size, self.max_size)
                # Without a pause, two types that do not fit together would evict each other at every read.
                self._unwatchable[key] = now + UNWATCHABLE_SECONDS
        # Outside of the lock: close() notifies followers.
        for informer in evicted:
            self.pending_writes.drop_all((informer.name, informer.namespace))
            log.info("%s is not followed any more (%d bytes)", informer.name, informer.size)
            informer.close()


def _newest(item: CachedObject | None, expected: Sequence[Expectation]) -> str:
    """Return the creation time of the newest incarnation of an object that is known; empty without one."""
    created = [each.created for each in expected if isinstance(each, AtLeast | Gone)]
    return max([*created, item.created if item is not None else ""])
