"""The second half of a delete: wait until nothing holds an object, then remove it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from ..resource import Event, Key
from ..store import Store


@contextmanager
def destroyed_when_free(store: Store, key: Key, context: grpc.ServicerContext) -> Iterator[None]:
    """Run what marks an object for its end, then wait for its finalizers and destroy it.

    Whoever destroys it in between wins the race: then this ends as NotFound, though the object is gone as asked.
    The wait ends with the call.
    """
    changed = threading.Event()

    def on_event(event: Event) -> None:
        if event.new.key == key:
            changed.set()

    unsubscribe = store.subscribe(on_event)
    try:
        yield
        if not context.add_callback(changed.set):
            return
        while context.is_active() and _held(store, key):
            changed.wait()
            changed.clear()
        if context.is_active():
            store.destroy(*key)
    finally:
        unsubscribe()


def _held(store: Store, key: Key) -> bool:
    res = store.peek(*key)
    return res is not None and bool(res.finalizers)
