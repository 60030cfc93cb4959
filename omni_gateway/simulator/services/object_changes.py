"""Following one object for as long as a call lasts."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc

from omni_gateway.simulator.state.resource import Event, Key
from omni_gateway.simulator.state.store import Store


def changes(store: Store, key: Key, context: grpc.ServicerContext) -> Iterator[None]:
    """Yield at once, and after every change of the object (several at a time may be one), until the call ends."""
    changed = threading.Event()

    def on_event(event: Event) -> None:
        if event.new.key == key:
            changed.set()

    unsubscribe = store.subscribe(on_event)
    try:
        if not context.add_callback(changed.set):
            return
        while context.is_active():
            yield
            changed.wait()
            changed.clear()
    finally:
        unsubscribe()
