"""LRU caches: one bounded in entries, one bounded in bytes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock, RLock
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

#: Bytes that an entry of :class:`ByteBoundedLRU` counts beside its buffer: the key, the value and the dictionaries.
OVERHEAD = 500
#: Buffers that have not been used for longer are evicted, even if there is room for them.
IDLE_SECONDS = 120.0


class LRUCache(Generic[K, V]):
    """A cache of ``most`` entries, which evicts the least recently used one; thread-safe.

    Its ``repr`` is the default one and shows no entries: keys may be hashes of credentials.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return the value of a key and mark it as used; None if there is none (any more)."""
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            return self._entries[key]

    def put(self, key: K, value: V) -> None:
        """Add or replace an entry; evict the least recently used one if there are more than ``most``."""
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self._most:
                self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        """Remove an entry; does nothing if there is none."""
        with self._lock:
            self._entries.pop(key, None)


class _Buffer:
    """A buffer, its size in bytes, the time of its last use (monotonic), and the callbacks of its entries by key."""

    __slots__ = ("content", "on_evict", "size", "used")

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.used = 0.0
        self.size = len(content)
        self.on_evict: dict[Hashable, Callable[[], None] | None] = {}


class ByteBoundedLRU:
    """A cache of values that each refer to a buffer, bounded to ``most`` bytes of all buffers; thread-safe.

    Entries with the same buffer object share it: a page, the response with that page and the bodies of its objects are
    the same bytes. A shared buffer counts once, is used when any of its entries is, and is evicted with all of them.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._size = 0
        self._lock = RLock()  # reentrant: an ``on_evict`` callback may drop other entries
        self._entries: dict[Hashable, tuple[Any, _Buffer]] = {}
        # By ``id``: an entry holds its buffer, so the id is not reused while it is a key here.
        self._buffers: OrderedDict[int, _Buffer] = OrderedDict()

    @property
    def size(self) -> int:
        """Return the bytes of all entries."""
        return self._size

    def get(self, key: Hashable) -> Any:
        """Return the value of a key and mark its buffer as used; None if there is none (any more)."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return None
            self._use(found[1])
            return found[0]

    def put(self, key: Hashable, value: Any, content: bytes, on_evict: Callable[[], None] | None = None) -> bool:
        """Add or replace an entry whose buffer is ``content``, and evict idle buffers and those beyond the bound.

        ``on_evict`` is called, under the lock, when the entry is evicted, dropped or replaced. Returns False if the
        entry is not in the cache: its buffer is larger than the bound.
        """
        with self._lock:
            self.drop(key)
            if len(content) + OVERHEAD > self.most:
                return False
            buffer = self._buffers.get(id(content))
            if buffer is None:
                buffer = self._buffers[id(content)] = _Buffer(content)
                self._size += buffer.size
            self._use(buffer)
            buffer.on_evict[key] = on_evict
            self._entries[key] = (value, buffer)
            self._size += OVERHEAD
            while self._buffers and (self._size > self.most or self._oldest.used < buffer.used - IDLE_SECONDS):
                self._evict(self._oldest)
            # Many entries of one buffer may exceed the bound by their overhead: then the new one is evicted as well.
            return key in self._entries

    def drop(self, key: Hashable) -> None:
        """Remove an entry, and its buffer with the last entry of it; does nothing if there is none."""
        with self._lock:
            found = self._entries.pop(key, None)
            if found is None:
                return
            buffer, self._size = found[1], self._size - OVERHEAD
            on_evict = buffer.on_evict.pop(key)
            if not buffer.on_evict:
                del self._buffers[id(buffer.content)]
                self._size -= buffer.size
            if on_evict is not None:
                on_evict()

    @property
    def _oldest(self) -> _Buffer:
        return next(iter(self._buffers.values()))

    def _use(self, buffer: _Buffer) -> None:
        buffer.used = time.monotonic()
        self._buffers.move_to_end(id(buffer.content))

    def _evict(self, buffer: _Buffer) -> None:
        for key in tuple(buffer.on_evict):
            self.drop(key)
