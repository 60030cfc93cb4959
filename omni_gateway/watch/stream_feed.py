"""A thread per blocking source, and the open streams that a stop of the process ends.

A response has to send heartbeats and check its age between items, so it cannot block in its source: a thread does, and
hands the items over by a bounded queue.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Generic, Protocol, TypeVar

from omni_gateway.omni.deadline import opening_stream

T = TypeVar("T")

BUFFERED = 256
#: How often a thread that waits for room in the queue checks whether the stream was closed.
_PUT_SECONDS = 0.5


class Ended(Exception):
    """The source is exhausted, or the stream was closed."""


class ThreadedSource(Generic[T]):
    """A source's items, read by a thread of its own; opening errors are raised by the constructor.

    :meth:`close` leaves the source's context, from any thread, and leaving it must end the iteration: a cancelled gRPC
    call does, and so does the SDK's polling watch.
    """

    def __init__(self, open_source: Callable[[], AbstractContextManager[Iterator[T]]]) -> None:
        self._queue: queue.Queue[tuple[str, Any]] = queue.Queue(BUFFERED)
        self._closed = threading.Event()
        # Guards the context: the reader, a client that leaves and an error may all close, and it is left only once.
        self._lock = threading.Lock()
        self._context = open_source()
        with opening_stream():
            source = self._context.__enter__()
        threading.Thread(target=self._run, args=(source,), name="stream-feed", daemon=True).start()
        with _LOCK:
            _OPEN.add(self)

    def _run(self, source: Iterator[T]) -> None:
        try:
            for item in source:
                if not self._put(("item", item)):
                    return
            self._put(("end", None))
        except Exception as error:
            self._put(("error", error))

    def _put(self, entry: tuple[str, Any]) -> bool:
        """Queue an entry, waiting while the queue is full; return False once the stream is closed."""
        while not self._closed.is_set():
            try:
                self._queue.put(entry, timeout=_PUT_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def get(self, timeout: float) -> T | None:
        """Return the next item, or None after ``timeout`` seconds; raises :class:`Ended` or the source's error."""
        try:
            kind, value = self._queue.get(timeout=timeout)
        except queue.Empty:
            return None
        if self._closed.is_set() or kind == "end":
            raise Ended
        if kind == "error":
            raise value
        return value  # type: ignore[no-any-return]

    def end(self) -> None:
        """End the stream and wake its reader; safe from any thread."""
        self._closed.set()
        with suppress(queue.Full):  # then the reader is not blocked, and sees the event at its next item
            self._queue.put_nowait(("end", None))

    def close(self) -> None:
        """Leave the source's context; safe to call twice and from any thread."""
        self._closed.set()
        with _LOCK:
            _OPEN.discard(self)
        with self._lock:
            context, self._context = self._context, None  # type: ignore[assignment]
        # Outside of the lock: it may block, such as by cancelling a call.
        if context is not None:
            context.__exit__(None, None, None)


class Endable(Protocol):
    """A stream that a stop of the process ends."""

    def end(self) -> None:
        """End the stream; safe from any thread."""


_LOCK = threading.Lock()
_OPEN: set[Endable] = set()


@contextmanager
def ended_at_a_stop(stream: Endable) -> Iterator[None]:
    """Register a stream with :func:`close_all` for the duration of the context."""
    with _LOCK:
        _OPEN.add(stream)
    try:
        yield
    finally:
        with _LOCK:
            _OPEN.discard(stream)


def close_all() -> None:
    """End every open stream of the process; called at a graceful stop, which would wait for them otherwise."""
    with _LOCK:
        streams = list(_OPEN)
    # Outside of the lock: an ending stream unregisters itself.
    for stream in streams:
        stream.end()
