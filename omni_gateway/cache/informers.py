"""Which types are followed: begun on the first read, let go when nobody asks, bounded in memory."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from omni_gateway.cache.informer import Informer, Source
from omni_gateway.cache.pending_writes import Kind, PendingWrite, PendingWrites
from omni_gateway.cache.read_record import Dependency
from omni_gateway.malloc import give_back
from omni_gateway.omni.errors import OmniError
from omni_gateway.omni.resources import Write

log = logging.getLogger(__name__)

#: Bytes of objects that a process keeps (``Informers.max_size``; 0: none); one type may take half of it.
MAX_SIZE = 64 * 1024 * 1024
IDLE_SECONDS = 600.0
#: After this long without an event or an answered probe, what is kept is not believed any more.
FRESH_SECONDS = 10.0
PROBE_SECONDS = 3.0
#: How long a type that cannot be followed is not tried again.
UNWATCHABLE_SECONDS = 300.0

Key = tuple[str, str]


_MARKS: Mapping[str, Kind] = {"create": "there", "update": "since", "teardown": "leaving", "delete": "gone"}


class Informers:
    """The feeds of one process. Nothing runs before the first read; a forked child begins with nothing.

    ``open_watch(type, namespace)`` opens a watch with bootstrap; ``probe`` makes the cheapest call to Omni and raises
    ``OmniError`` when there is no answer.
    """

    def __init__(self, open_watch: Callable[[str, str], Source], probe: Callable[[], None]) -> None:
        self._open_watch = open_watch
        self._probe = probe
        self._lock = threading.Lock()
        self._informers: dict[Key, Informer] = {}
        self._unwatchable: dict[Key, float] = {}
        self.pending_writes = PendingWrites()
        self._closed = threading.Event()
        self._keeper: threading.Thread | None = None
        self._answered = 0.0
        self.max_size, self.idle_seconds = MAX_SIZE, IDLE_SECONDS

    def informer(self, type: str, namespace: str) -> Informer | None:
        """Return a feed that may be believed; None when Omni must be asked (a feed may begin for later reads)."""
        key = (type, namespace)
        now = time.monotonic()
        with self._lock:
            informer = self._informers.get(key)
            if informer is None:
                if self.max_size and self._unwatchable.get(key, 0.0) <= now and not self._closed.is_set():
                    self._begin(key)
                return None
            informer.last_used_at = now
        if not informer.ready or now - max(informer.last_event_at, self._answered) > FRESH_SECONDS:
            return None
        return informer

    def present(self, type: str, namespace: str) -> Informer | None:
        """Return the feed of a type, believed or not, without beginning one."""
        with self._lock:
            return self._informers.get((type, namespace))

    def created(self, type: str, namespace: str, id: str) -> str:
        """Return when the object that a feed holds was made; empty where there is none."""
        informer = self.present(type, namespace)
        held = informer.find(id)[1] if informer is not None else None
        return held.created if held is not None else ""

    def read(self, type: str, namespace: str, id: str, version: int, created: str) -> None:
        """Note what was read of an object; called by the client."""
        self.add_pending_write(type, namespace, id, PendingWrite("since", version, created))

    def missing(self, type: str, namespace: str, id: str, asked: float) -> None:
        """Note that an object was not there after ``asked`` (monotonic); called by the client."""
        self.add_pending_write(type, namespace, id, PendingWrite("gone", at=asked, existed=False))

    def written(self, type: str, namespace: str, id: str, write: Write) -> None:
        """Note a write that may have been applied; called by the client."""
        kind = _MARKS[write.kind] if write.kind != "update" or write.version else "written"
        self.add_pending_write(type, namespace, id, PendingWrite(kind, write.version, write.created, write.at))

    def add_pending_write(self, type: str, namespace: str, id: str, pending: PendingWrite) -> None:
        """Say what must be heard of an object before the type's feed is believed again.

        Nothing where nobody follows the type, nor of an object that may never have been there and was not heard of.
        """
        informer, key = self.present(type, namespace), (type, namespace)
        if informer is None:
            return
        _, held = informer.find(id)
        before = self.pending_writes.find(key, id)
        if before is not None and informer.met(id, before):
            before = None
        if not pending.existed and informer.ready and held is None and before is None:
            return
        if pending.kind not in ("since", "past", "written"):
            known = [pending.created, before.created if before else ""]
            if pending.kind != "there" and held is not None:  # of one that was made, the feed may hold that very one
                known.append(held.created)
            pending = replace(pending, created=max(known))
        self.pending_writes.set(key, id, pending.after(before))

    def age_of(self, parts: Sequence[Dependency], max_age: float | None) -> float | None:
        """Return how old (seconds) what was read once is now; None when it is to be read again.

        That is where anything has changed, is not to be believed, is older than ``max_age``, or is awaited.
        """
        oldest = 0.0
        for part in parts:
            informer = part.informer
            if self.informer(informer.name, informer.namespace) is not informer or self.pending_writes.any(
                (informer.name, informer.namespace)
            ):
                return None
            oldest = max(oldest, self.age(informer))
            if not part.unchanged:
                return None
        return oldest if max_age is None or oldest <= max_age > 0 else None

    def age(self, informer: Informer) -> float:
        """Return how many seconds ago it was last known that a feed is how Omni is."""
        return max(0.0, time.monotonic() - max(informer.last_event_at, self._answered))

    def close(self) -> None:
        """Let everything go."""
        self._closed.set()
        with self._lock:
            informers, self._informers = list(self._informers.values()), {}
        for informer in informers:
            informer.close()

    def _begin(self, key: Key) -> None:
        type, namespace = key
        informer = self._informers[key] = Informer(type, namespace, lambda: self._open_watch(type, namespace))
        informer.start()
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, name="feed-keeper", daemon=True)
            self._keeper.start()

    def _keep(self) -> None:
        """Probe the connection and let types go, for as long as there are any."""
        relists = 0
        while not self._closed.wait(PROBE_SECONDS):
            self.tidy()
            with self._lock:
                before, relists = relists, sum(informer.relists for informer in self._informers.values())
            if relists != before:
                give_back()
            try:
                self._probe()
            except OmniError as error:
                log.debug("no answer to a probe: %s", error)
            else:
                self._answered = time.monotonic()

    def tidy(self) -> None:
        """Let go of what nobody asks for, what cannot be followed, and what is too much, the idlest first."""
        now = time.monotonic()
        gone: list[Informer] = []
        with self._lock:
            for key, informer in list(self._informers.items()):
                idle = now - informer.last_used_at > self.idle_seconds and not informer.followed
                too_large = informer.size > self.max_size // 2
                if idle or too_large or informer.unwatchable is not None:
                    gone.append(self._informers.pop(key))
                if too_large or informer.unwatchable is not None:
                    self._unwatchable[key] = now + UNWATCHABLE_SECONDS
            held = sum(informer.size for informer in self._informers.values())
            for key, informer in sorted(self._informers.items(), key=lambda pair: pair[1].last_used_at):
                if held <= self.max_size:
                    break
                held -= informer.size
                gone.append(self._informers.pop(key))
                self._unwatchable[key] = now + UNWATCHABLE_SECONDS
        for informer in gone:
            self.pending_writes.drop_all((informer.name, informer.namespace))
            log.info("%s is not followed any more (%d bytes)", informer.name, informer.size)
            informer.close()
