"""Carry what a blocking source gives, in a thread of its own, to a response that must also wait, beat and end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Generic, Protocol, TypeVar

from omni_gateway.omni.deadline import opening_stream

T = TypeVar("T")

BUFFERED = 256
_PUT_SECONDS = 0.5


class Ended(Exception):
    """The source has no more, or the stream was closed."""


class ThreadedSource(Generic[T]):
    """A source, opened and running.

    The source's context is left by :meth:`close`, from whichever thread; leaving it must end the iteration (a cancelled
    gRPC call does, so does the SDK's polling watch).
    """

    def __init__(self, open_source: Callable[[], AbstractContextManager[Iterator[T]]]) -> None:
        self._queue: queue.Queue[tuple[str, Any]] = queue.Queue(BUFFERED)
        self._closed = threading.Event()
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
        """Wait for room; a reader that is slow slows the source, a reader that left ends it."""
        while not self._closed.is_set():
            try:
                self._queue.put(entry, timeout=_PUT_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def get(self, timeout: float) -> T | None:
        """Return the next item, None when none came within ``timeout`` seconds; raise :class:`Ended` or its error."""
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
        """Wake the reader with the end, from any thread."""
        self._closed.set()
        with suppress(queue.Full):  # a reader with so much to read looks up soon enough
            self._queue.put_nowait(("end", None))

    def close(self) -> None:
        """Leave the source; safe to call twice."""
        self._closed.set()
        with _LOCK:
            _OPEN.discard(self)
        with self._lock:
            context, self._context = self._context, None  # type: ignore[assignment]
        if context is not None:
            context.__exit__(None, None, None)


class Endable(Protocol):
    """What a stop of the process ends."""

    def end(self) -> None:
        """End it, from any thread."""


_LOCK = threading.Lock()
_OPEN: set[Endable] = set()


@contextmanager
def ended_at_a_stop(stream: Endable) -> Iterator[None]:
    """Let :func:`close_all` end a stream while this lasts."""
    with _LOCK:
        _OPEN.add(stream)
    try:
        yield
    finally:
        with _LOCK:
            _OPEN.discard(stream)


def close_all() -> None:
    """End every open stream of this process: a graceful stop must not wait for watchers."""
    with _LOCK:
        streams = list(_OPEN)
    for stream in streams:
        stream.end()
