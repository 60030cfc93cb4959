"""Which types are followed: begun on the first read, let go when nobody asks, bounded in memory."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from omni_gateway.cache.informer import Feed, Source
from omni_gateway.cache.pending_writes import Kind, Mark, Marks
from omni_gateway.cache.read_record import Part
from omni_gateway.malloc import give_back
from omni_gateway.omni.errors import OmniError
from omni_gateway.omni.resources import Write

log = logging.getLogger(__name__)

#: Bytes of objects that a process keeps (``ReadCache.max_size``; 0: none); one type may take half of it.
MAX_SIZE = 64 * 1024 * 1024
IDLE_SECONDS = 600.0
#: After this long without an event or an answered probe, what is kept is not believed any more.
BELIEVED_SECONDS = 10.0
PROBE_SECONDS = 3.0
#: How long a type that cannot be followed is not tried again.
HOPELESS_SECONDS = 300.0

Key = tuple[str, str]


_MARKS: Mapping[str, Kind] = {"create": "there", "update": "since", "teardown": "leaving", "delete": "gone"}


class ReadCache:
    """The feeds of one process. Nothing runs before the first read; a forked child begins with nothing.

    ``open_watch(type, namespace)`` opens a watch with bootstrap; ``probe`` makes the cheapest call to Omni and raises
    ``OmniError`` when there is no answer.
    """

    def __init__(self, open_watch: Callable[[str, str], Source], probe: Callable[[], None]) -> None:
        self._open_watch = open_watch
        self._probe = probe
        self._lock = threading.Lock()
        self._feeds: dict[Key, Feed] = {}
        self._hopeless: dict[Key, float] = {}
        self.marks = Marks()
        self._closed = threading.Event()
        self._keeper: threading.Thread | None = None
        self._answered = 0.0
        self.max_size, self.idle_seconds = MAX_SIZE, IDLE_SECONDS

    def feed(self, type: str, namespace: str) -> Feed | None:
        """Return a feed that may be believed; None when Omni must be asked (a feed may begin for later reads)."""
        key = (type, namespace)
        now = time.monotonic()
        with self._lock:
            feed = self._feeds.get(key)
            if feed is None:
                if self.max_size and self._hopeless.get(key, 0.0) <= now and not self._closed.is_set():
                    self._begin(key)
                return None
            feed.asked = now
        if not feed.live or now - max(feed.heard, self._answered) > BELIEVED_SECONDS:
            return None
        return feed

    def present(self, type: str, namespace: str) -> Feed | None:
        """Return the feed of a type, believed or not, without beginning one."""
        with self._lock:
            return self._feeds.get((type, namespace))

    def created(self, type: str, namespace: str, id: str) -> str:
        """Return when the object that a feed holds was made; empty where there is none."""
        feed = self.present(type, namespace)
        held = feed.find(id)[1] if feed is not None else None
        return held.created if held is not None else ""

    def read(self, type: str, namespace: str, id: str, version: int, created: str) -> None:
        """Note what was read of an object; called by the client."""
        self.mark(type, namespace, id, Mark("since", version, created))

    def missing(self, type: str, namespace: str, id: str, asked: float) -> None:
        """Note that an object was not there after ``asked`` (monotonic); called by the client."""
        self.mark(type, namespace, id, Mark("gone", at=asked, existed=False))

    def written(self, type: str, namespace: str, id: str, write: Write) -> None:
        """Note a write that may have been applied; called by the client."""
        kind = _MARKS[write.kind] if write.kind != "update" or write.version else "written"
        self.mark(type, namespace, id, Mark(kind, write.version, write.created, write.at))

    def mark(self, type: str, namespace: str, id: str, mark: Mark) -> None:
        """Say what must be heard of an object before the type's feed is believed again.

        Nothing where nobody follows the type, nor of an object that may never have been there and was not heard of.
        """
        feed, key = self.present(type, namespace), (type, namespace)
        if feed is None:
            return
        _, held = feed.find(id)
        before = self.marks.find(key, id)
        if before is not None and feed.met(id, before):
            before = None
        if not mark.existed and feed.live and held is None and before is None:
            return
        if mark.kind not in ("since", "past", "written"):
            known = [mark.created, before.created if before else ""]
            if mark.kind != "there" and held is not None:  # of one that was made, the feed may hold that very one
                known.append(held.created)
            mark = replace(mark, created=max(known))
        self.marks.set(key, id, mark.after(before))

    def age_of(self, parts: Sequence[Part], max_age: float | None) -> float | None:
        """Return how old (seconds) what was read once is now; None when it is to be read again.

        That is where anything has changed, is not to be believed, is older than ``max_age``, or is awaited.
        """
        oldest = 0.0
        for part in parts:
            feed = part.feed
            if self.feed(feed.name, feed.namespace) is not feed or self.marks.any((feed.name, feed.namespace)):
                return None
            oldest = max(oldest, self.age(feed))
            if not part.unchanged:
                return None
        return oldest if max_age is None or oldest <= max_age > 0 else None

    def age(self, feed: Feed) -> float:
        """Return how many seconds ago it was last known that a feed is how Omni is."""
        return max(0.0, time.monotonic() - max(feed.heard, self._answered))

    def close(self) -> None:
        """Let everything go."""
        self._closed.set()
        with self._lock:
            feeds, self._feeds = list(self._feeds.values()), {}
        for feed in feeds:
            feed.close()

    def _begin(self, key: Key) -> None:
        type, namespace = key
        feed = self._feeds[key] = Feed(type, namespace, lambda: self._open_watch(type, namespace))
        feed.start()
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, name="feed-keeper", daemon=True)
            self._keeper.start()

    def _keep(self) -> None:
        """Probe the connection and let types go, for as long as there are any."""
        begun = 0
        while not self._closed.wait(PROBE_SECONDS):
            self.tidy()
            with self._lock:
                before, begun = begun, sum(feed.begun for feed in self._feeds.values())
            if begun != before:
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
        gone: list[Feed] = []
        with self._lock:
            for key, feed in list(self._feeds.items()):
                idle = now - feed.asked > self.idle_seconds and not feed.followed
                too_large = feed.size > self.max_size // 2
                if idle or too_large or feed.hopeless is not None:
                    gone.append(self._feeds.pop(key))
                if too_large or feed.hopeless is not None:
                    self._hopeless[key] = now + HOPELESS_SECONDS
            held = sum(feed.size for feed in self._feeds.values())
            for key, feed in sorted(self._feeds.items(), key=lambda pair: pair[1].asked):
                if held <= self.max_size:
                    break
                held -= feed.size
                gone.append(self._feeds.pop(key))
                self._hopeless[key] = now + HOPELESS_SECONDS
        for feed in gone:
            self.marks.drop_all((feed.name, feed.namespace))
            log.info("%s is not followed any more (%d bytes)", feed.name, feed.size)
            feed.close()
