"""Stale reads on demand: a call reads a snapshot instead of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store


class Readable(Protocol):
    """The reading half of a store."""

    def peek(self, namespace: str, type: str, id: str) -> Resource | None:
        """Return an object, read-only, or None."""

    def view(self, namespace: str, type: str) -> Sequence[Resource]:
        """Return the objects of a type, read-only, in the order of their ids."""


class Snapshot:
    """The objects of some types at one moment. Objects are never changed in place, so references are enough."""

    def __init__(self, store: Store, wanted: Callable[[str], bool]) -> None:
        self._store = store
        self._wanted = wanted
        with store.lock:
            self._views = {key: store.view(*key) for key in store.kinds() if wanted(key[1])}

    def peek(self, namespace: str, type: str, id: str) -> Resource | None:
        """Return an object as it was then, or None."""
        if not self._wanted(type):
            return self._store.peek(namespace, type, id)
        return next((res for res in self.view(namespace, type) if res.id == id), None)

    def view(self, namespace: str, type: str) -> Sequence[Resource]:
        """Return the objects of a type as they were then."""
        return self._views.get((namespace, type), ()) if self._wanted(type) else self._store.view(namespace, type)


_seen: ContextVar[Snapshot | None] = ContextVar("seen", default=None)


def seen(store: Store) -> Readable:
    """Return the store, or the snapshot that the call of this thread is to read."""
    return _seen.get() or store


@contextmanager
def held_at(snapshot: Snapshot | None) -> Iterator[None]:
    """Make this thread's reads see a snapshot until the block ends; None changes nothing."""
    token = _seen.set(snapshot)
    try:
        yield
    finally:
        _seen.reset(token)
