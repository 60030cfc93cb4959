"""A watch over streams of Omni's that are opened for one caller: an iterator that blocks."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from omni_gateway.cache.cached_object import CachedObject, DictionaryCompressor
from omni_gateway.cache.informer import InformerEvent
from omni_gateway.model.omni_objects import resource_of
from omni_gateway.model.query import Change
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, OmniError
from omni_gateway.omni.watch import RawEvent, WatchKind
from omni_gateway.watch.source import ShownObjects, WatchSource

#: Events of all streams that wait for the reader; then the streams' threads wait too.
_BUFFERED = 1024
#: How often a thread that waits for the queue checks whether the watch was closed.
_PUT_SECONDS = 0.5

_Queue = queue.Queue[tuple[str, RawEvent] | OmniError | None]


@contextmanager
def private_watch(omni: OmniClient, source: WatchSource) -> Iterator[Iterator[Change]]:
    """Watch the source's types by ``omni`` and yield the changes; leaving the context ends all streams.

    A source with one type needs no thread, with several a thread reads each. Raises ``OmniError``.
    """
    with ExitStack() as stack:
        streams = {
            each.type: stack.enter_context(
                omni.resources.follow(each.type, each.place, id=each.id, selectors=each.selectors, search=each.search)
            )
            for each in source.triggers
        }
        closed = threading.Event()
        stack.callback(closed.set)
        yield _changes(source, _merged(streams, closed))


class _PrivateView:
    """The objects that the streams have sent."""

    def __init__(self, source: WatchSource) -> None:
        self._objects: dict[str, dict[str, CachedObject]] = {each.type: {} for each in source.triggers}
        # Compressed as in an informer, for a watch lasts for hours.
        self._compressors = {type: DictionaryCompressor() for type in self._objects}

    def apply(self, type: str, kind: WatchKind, text: str) -> InformerEvent:
        """Apply an event of a stream; return it with the object's previous version."""
        item = CachedObject(text, self._compressors[type])
        objects = self._objects[type]
        old = objects.pop(item.id, None)
        if kind != "destroyed":
            objects[item.id] = item
        return kind, item, old

    def get(self, type: str, id: str) -> Resource | None:
        """Return an object; None if there is none."""
        item = self._objects[type].get(id)
        return None if item is None else resource_of(item)

    def labelled(self, type: str, label: str, value: str) -> Sequence[Resource]:
        """Return the objects whose ``label`` has this value, ordered by id."""
        return [item for item in self.all(type) if item.labels.get(label) == value]

    def all(self, type: str) -> Sequence[Resource]:
        """Return all objects of a type, ordered by id."""
        objects = self._objects[type]
        return [resource_of(objects[id]) for id in sorted(objects)]


def _changes(source: WatchSource, events: Iterator[tuple[str, RawEvent]]) -> Iterator[Change]:
    """Yield the present objects, a bookmark once every stream has sent its own, then each change."""
    view = _PrivateView(source)
    shown = ShownObjects(source, view)
    awaited = {each.type for each in source.triggers}
    # Of a single object the first event, the object or its absence, is the whole present.
    single = {each.type for each in source.triggers if each.id}
    for type, (kind, text) in events:
        event = view.apply(type, kind, text) if kind != "bootstrapped" else None
        if not awaited:
            if event is not None:
                yield from shown.apply(type, event)
        elif event is None or type in single:
            awaited.discard(type)
            if not awaited:
                shown.begin()
                yield from (Change("added", resource) for resource in tuple(shown.present.values()))
                yield Change("bookmark")


def _merged(streams: Mapping[str, Iterator[RawEvent]], closed: threading.Event) -> Iterator[tuple[str, RawEvent]]:
    """Yield the events of all streams with their types; raise the error that ends any of them."""
    if len(streams) == 1:
        for type, stream in streams.items():
            yield from ((type, event) for event in stream)
        return
    events: _Queue = queue.Queue(_BUFFERED)
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


def _read(type: str, stream: Iterator[RawEvent], events: _Queue, closed: threading.Event) -> None:
    """Put a stream's events into the common queue; None at its end, its error otherwise."""
    try:
        for event in stream:
            _put(events, closed, (type, event))
        _put(events, closed, None)
    except OmniError as error:
        _put(events, closed, error)


def _put(events: _Queue, closed: threading.Event, entry: tuple[str, RawEvent] | OmniError | None) -> None:
    """Put an entry into the queue; wait while it is full (back-pressure on Omni), until the watch is closed."""
    while not closed.is_set():
        try:
            events.put(entry, timeout=_PUT_SECONDS)
        except queue.Full:
            continue
        return
