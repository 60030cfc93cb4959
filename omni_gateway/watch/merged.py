"""One watch of several Omni types, for resources that are joined from several objects."""

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

#: Events of all streams that wait for the reader; then the streams' threads wait too.
_BUFFERED = 1024
#: How often a thread that waits for the queue checks whether the watch was closed.
_PUT_SECONDS = 0.5


class TypedEvent(NamedTuple):
    """An event of one of the watches. ``resource``: None for ``bootstrapped``, the last state for ``destroyed``."""

    type: str
    kind: WatchKind
    resource: Resource | None


Step = Callable[[Iterator[TypedEvent | None]], Iterator[Change]]


@contextmanager
def merge_watches(omni: OmniClient, asked: Mapping[str, Mapping[str, Any]], step: Step) -> Iterator[Iterator[Change]]:
    """Watch each type with the given arguments of ``watch``; leaving the context ends all watches.

    ``step`` turns events into changes; it receives None where there is no event at present, and yields ``idle`` for
    it. If informers serve all of the types, the result is non-blocking (:class:`Fed`) and needs no thread; otherwise a
    thread reads each type.
    """
    with ExitStack() as stack:
        streams: dict[str, Any] = {
            type: stack.enter_context(omni.resources.watch(type, **only)) for type, only in asked.items()
        }
        subscriptions = [(type, stream) for type, stream in streams.items() if isinstance(stream, Subscription)]
        if len(subscriptions) == len(streams):
            source = _MergedSubscriptions(subscriptions)
            yield Fed(step(source), source)
            return
        closed = threading.Event()
        stack.callback(closed.set)
        yield step(_read_in_threads(streams, closed))


class _MergedSubscriptions:
    """Subscriptions, read in turn; blocks until any of them has an event."""

    def __init__(self, streams: list[tuple[str, Subscription]]) -> None:
        self._streams = deque(streams)
        self._available = threading.Event()
        self._wake: Callable[[], None] | None = None
        for _, stream in streams:
            stream.told_by(self._rouse)

    def told_by(self, wake: Callable[[], None]) -> None:
        """Make the iteration non-blocking; see :class:`omni_gateway.model.query.Pushed`."""
        self._wake = wake

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> TypedEvent | None:
        while True:
            # Cleared before the streams are read: an event that arrives after its stream was read ends the wait below.
            self._available.clear()
            for _ in range(len(self._streams)):
                type, stream = self._streams[0]
                # Round robin, so that a busy type does not delay the others.
                self._streams.rotate(-1)
                if (event := next(stream)) is not IDLE:
                    return _typed(type, event)
            if self._wake is not None:
                return None
            self._available.wait()

    def _rouse(self) -> None:
        self._available.set()
        if self._wake is not None:
            self._wake()


def _read_in_threads(streams: Mapping[str, Iterator[Any]], closed: threading.Event) -> Iterator[TypedEvent]:
    """Yield the events of streams that Omni serves, one thread each; raise the error that ends any of them."""
    events: queue.Queue[TypedEvent | OmniError | None] = queue.Queue(_BUFFERED)
    for type, stream in streams.items():
        threading.Thread(target=_read, args=(type, stream, events, closed), name=f"watch-{type}", daemon=True).start()
    while not closed.is_set():
        try:
            # With a timeout: closing puts nothing into the queue, and is noticed by the loop's condition.
            entry = events.get(timeout=_PUT_SECONDS)
        except queue.Empty:
            continue
        if entry is None:
            return
        if isinstance(entry, OmniError):
            raise entry
        yield entry


def _read(
    type: str, stream: Iterator[Any], events: queue.Queue[TypedEvent | OmniError | None], closed: threading.Event
) -> None:
    """Put a stream's events into the common queue; None at its end, its error otherwise."""
    try:
        for event in stream:
            _put(events, closed, _typed(type, event))
        _put(events, closed, None)
    except OmniError as error:
        _put(events, closed, error)


def _put(
    events: queue.Queue[TypedEvent | OmniError | None], closed: threading.Event, entry: TypedEvent | OmniError | None
) -> None:
    """Put an entry into the queue; wait while it is full (back-pressure on Omni), until the watch is closed."""
    while not closed.is_set():
        try:
            events.put(entry, timeout=_PUT_SECONDS)
        except queue.Full:
            continue
        return


def _typed(type: str, event: Any) -> TypedEvent:
    return TypedEvent(type, event.kind, None if event.kind == "bootstrapped" else resource_in(event))
