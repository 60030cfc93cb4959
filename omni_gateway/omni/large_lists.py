"""Lists that do not fit into one message, read by the bootstrap of a watch instead.

``List`` answers all objects in one message. Its pages would fit, but they are of different moments: if an object is
removed between two pages, another one moves from the later page to the earlier one and is in neither. A watch sends the
objects of one moment, each in a message of its own, and says when these were all.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import grpc
import orjson

from omni_gateway.omni.errors import ListTooLarge, NoTimeLeft, Unavailable
from omni_gateway.omni.rpcs import WATCH

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""A type and its namespace."""


class LargeLists:
    """Which types' lists do not fit into one message; thread-safe.

    Lets one such list be read at a time, so that a process holds ``most_bytes`` of them at most.
    """

    def __init__(self, message_bytes: int, most_bytes: int) -> None:
        self._message_bytes = message_bytes
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._types: set[Key] = set()

    def __contains__(self, key: Key) -> bool:
        """Return whether the list of a type did not fit when it was read last: Omni need not be asked in vain."""
        return key in self._types

    def add(self, key: Key) -> None:
        """Note that the list of a type does not fit."""
        self._types.add(key)

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Wait until no other large list is being read; raises ``NoTimeLeft`` after ``seconds``."""
        if not self._lock.acquire(timeout=max(0.0, seconds)):
            text = "other lists that do not fit into one message were being read for the whole time of the request"
            raise NoTimeLeft(grpc.StatusCode.DEADLINE_EXCEEDED, text, WATCH.name)
        try:
            yield
        finally:
            self._lock.release()

    def collect(self, key: Key, events: Iterable[tuple[str, str]], *, every: bool) -> Sequence[str]:
        """Return the objects of a watch's bootstrap as JSON texts, ordered by id.

        ``every``: they are all objects of the type, so if they would fit into a message, the type is forgotten.
        Raises ``ListTooLarge``, and ``Unavailable`` for a watch that ends before its bootstrap does.
        """
        texts: dict[str, str] = {}
        size = 0
        for kind, text in events:
            if kind == "bootstrapped":
                # Half, so that a type about as large as a message does not go back and forth.
                if every and size < self._message_bytes // 2:
                    self._types.discard(key)
                return [texts[id] for id in sorted(texts)]
            id = orjson.loads(text)["metadata"]["id"]
            size -= len(texts.pop(id, ""))
            if kind != "destroyed":
                texts[id] = text
                size += len(text)
            if size > self._most_bytes:
                log.warning("the list of %s is larger than %d bytes, and is not read", key[0], self._most_bytes)
                detail = (
                    f"a list of Omni's objects is larger than the {self._most_bytes:,} bytes that this client takes"
                )
                raise ListTooLarge(grpc.StatusCode.RESOURCE_EXHAUSTED, detail, WATCH.name)
        raise Unavailable(grpc.StatusCode.UNAVAILABLE, "the watch ended before it had sent all objects", WATCH.name)

    def start_over(self) -> None:
        """Reset the lock after a fork: another thread of the parent may have held it."""
        self._lock = threading.Lock()
