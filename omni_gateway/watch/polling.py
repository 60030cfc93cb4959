"""A watch by polling, for back ends without one: list at an interval and yield the differences."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from omni_gateway.model.query import Change
from omni_gateway.model.resource import Resource

POLL_SECONDS = 1.0


@contextmanager
def polling_watch(read: Callable[[], Sequence[Resource]]) -> Iterator[Iterator[Change]]:
    """Watch the objects that ``read`` returns, every :data:`POLL_SECONDS`; leaving the context ends the iteration.

    Errors of ``read`` are raised by the iteration.
    """
    stopped = threading.Event()
    try:
        yield _changes(read, stopped)
    finally:
        stopped.set()


def _changes(read: Callable[[], Sequence[Resource]], stopped: threading.Event) -> Iterator[Change]:
    known = {item.id: item for item in read()}
    for item in known.values():
        yield Change("added", item)
    yield Change("bookmark")
    while not stopped.wait(POLL_SECONDS):
        present = {item.id: item for item in read()}
        for id, item in known.items():
            if id not in present:
                yield Change("deleted", item)
        for id, item in present.items():
            before = known.get(id)
            if before is None or _state(before) != _state(item):
                yield Change("added" if before is None else "modified", item)
        known = present


def _state(item: Resource) -> tuple[object, ...]:
    """Return what differs after a change. Not all back ends count versions: then the content does.

    An object that was deleted and created again between two polls has the same id and another creation time.
    """
    return item.created, item.version, item.phase, item.spec, item.labels, item.annotations
