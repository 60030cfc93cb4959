"""A watch for back ends that have none: list again and again, and tell what differs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from omni_gateway.model.query import Change
from omni_gateway.model.resource import Resource

POLL_SECONDS = 1.0


@contextmanager
def polling_watch(read: Callable[[], Sequence[Resource]]) -> Iterator[Iterator[Change]]:
    """Open a watch over what ``read`` returns; leaving the context ends it within one poll."""
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
            if before is None or (before.created, before.version) != (item.created, item.version):
                yield Change("added" if before is None else "modified", item)
        known = present
