"""Watches of several types, made one: for objects that are joined of many."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, Self

from omni_gateway.cache.subscription import IDLE, Subscription
from omni_gateway.model.omni_objects import resource_in
from omni_gateway.model.query import Change, Fed
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, OmniError
from omni_gateway.omni.watch import WatchKind

_BUFFERED = 1024
_PUT_SECONDS = 0.5


class TypedEvent(NamedTuple):
    """What one of the watches said; of ``bootstrapped`` there is no object, of ``destroyed`` it is as it was last."""

    type: str
    kind: WatchKind
    resource: Resource | None


Step = Callable[[Iterator[TypedEvent | None]], Iterator[Change]]


@contextmanager
def merge_watches(omni: OmniClient, asked: Mapping[str, Mapping[str, Any]], step: Step) -> Iterator[Iterator[Change]]:
    """Follow each type, with its arguments of ``watch``; leaving the context ends it all.

    ``step`` makes changes of what the watches say; of None, which says that there is nothing now, it makes ``idle``.
    Where the process's own watches feed all of them, so is what this gives, and it takes no thread.
    """
    with ExitStack() as stack:
        streams: dict[str, Any] = {
            type: stack.enter_context(omni.resources.watch(type, **only)) for type, only in asked.items()
        }
        fed = [(type, stream) for type, stream in streams.items() if isinstance(stream, Subscription)]
        if len(fed) == len(streams):
            source = _Together(fed)
            yield Fed(step(source), source)
            return
        closed = threading.Event()
        stack.callback(closed.set)
        yield step(_queued(streams, closed))


class _Together:
    """Subscriptions, read in turn; a wait for any of them is one wait."""

    def __init__(self, streams: list[tuple[str, Subscription]]) -> None:
        self._streams = deque(streams)
        self._news = threading.Event()
        self._wake: Callable[[], None] | None = None
        for _, stream in streams:
            stream.told_by(self._rouse)

    def told_by(self, wake: Callable[[], None]) -> None:
        """Wait no more; see :class:`omni_gateway.model.query.Pushed`."""
        self._wake = wake

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> TypedEvent | None:
        while True:
            self._news.clear()
            for _ in range(len(self._streams)):
                type, stream = self._streams[0]
                self._streams.rotate(-1)
                if (event := next(stream)) is not IDLE:
                    return _told(type, event)
            if self._wake is not None:
                return None
            self._news.wait()

    def _rouse(self) -> None:
        self._news.set()
        if self._wake is not None:
            self._wake()


def _queued(streams: Mapping[str, Iterator[Any]], closed: threading.Event) -> Iterator[TypedEvent]:
    """Return what streams of Omni's say, each of which is read by a thread; raise what ends one of them badly."""
    said: queue.Queue[TypedEvent | OmniError | None] = queue.Queue(_BUFFERED)
    for type, stream in streams.items():
        threading.Thread(target=_read, args=(type, stream, said, closed), name=f"watch-{type}", daemon=True).start()
    while not closed.is_set():
        try:
            entry = said.get(timeout=_PUT_SECONDS)
        except queue.Empty:
            continue
        if entry is None:
            return
        if isinstance(entry, OmniError):
            raise entry
        yield entry


def _read(
    type: str, stream: Iterator[Any], said: queue.Queue[TypedEvent | OmniError | None], closed: threading.Event
) -> None:
    """Carry one watch's events into the common queue; a reader that is slow slows it down."""
    try:
        for event in stream:
            _put(said, closed, _told(type, event))
        _put(said, closed, None)
    except OmniError as error:
        _put(said, closed, error)


def _put(
    said: queue.Queue[TypedEvent | OmniError | None], closed: threading.Event, entry: TypedEvent | OmniError | None
) -> None:
    while not closed.is_set():
        try:
            said.put(entry, timeout=_PUT_SECONDS)
        except queue.Full:
            continue
        return


def _told(type: str, event: Any) -> TypedEvent:
    return TypedEvent(type, event.kind, None if event.kind == "bootstrapped" else resource_in(event))
