"""The controller runtime: one thread that turns the store's events into reconciles, and sleeps in between.

One thread is enough and keeps every sequence easy to follow: controllers are small, the interpreter runs one of them
at a time anyway, and no two reconciles of a key ever overlap.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from omni_gateway.simulator.controller_runtime.context import Context, Controller
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.state.resource import Event
from omni_gateway.simulator.state.store import Store

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""Real seconds before a reconcile that failed is tried again."""

Item = tuple[int, str]


class Runtime:
    """Runs controllers over a store until stopped.

    `speed` is how many lifecycle seconds pass in one real second.
    """

    def __init__(self, store: Store, controllers: Iterable[Controller], speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed must be above zero")
        self._store = store
        self._controllers = tuple(controllers)
        self.speed = speed
        self._by_type: dict[str, list[int]] = {}
        for index, controller in enumerate(self._controllers):
            for kind in controller.inputs:
                self._by_type.setdefault(kind, []).append(index)
        self._wake = threading.Condition()
        self._queue: OrderedDict[Item, None] = OrderedDict()
        self._due: dict[Item, float] = {}
        self._timers: list[tuple[float, Item]] = []
        self._busy = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Look at everything that is already there, then follow the changes."""
        with self._store.lock:
            self._unsubscribe = self._store.subscribe(self._on_event)
            for kind in self._by_type:
                for res in self._store.view(namespace_of(kind), kind):
                    self._on_event(Event("created", res, None))
        self._thread = threading.Thread(target=self._run, name="controllers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the reconcile at hand and stop."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def settled(self) -> bool:
        """Return whether no key is waiting to be reconciled, now or later."""
        with self._wake:
            return not (self._queue or self._due or self._busy)

    def _on_event(self, event: Event) -> None:
        for index in self._by_type.get(event.new.type, ()):
            key_map = self._controllers[index].inputs[event.new.type]
            keys = list(key_map(self._store, event.new))
            if event.old is not None:
                keys += key_map(self._store, event.old)
            self._enqueue((index, key) for key in keys)

    def _enqueue(self, items: Iterable[Item]) -> None:
        with self._wake:
            for item in items:
                self._queue[item] = None
            self._wake.notify()

    def _run(self) -> None:
        while True:
            item = self._next()
            if item is None:
                return
            again = self._reconcile(*item)
            with self._wake:
                self._busy = False
                if again is not None:
                    self._schedule(item, time.monotonic() + again)

    def _reconcile(self, index: int, key: str) -> float | None:
        controller = self._controllers[index]
        ctx = Context(self._store, controller.name, self.speed)
        try:
            controller.reconcile(ctx, key)
        except Exception:
            log.exception("controller %s failed on %r; it will be tried again", controller.name, key)
            return RETRY_SECONDS
        return ctx.requeue_after

    def _next(self) -> Item | None:
        with self._wake:
            while not self._stopping:
                self._move_due()
                if self._queue:
                    item, _ = self._queue.popitem(last=False)
                    self._busy = True
                    return item
                self._wake.wait(max(self._timers[0][0] - time.monotonic(), 0.0) if self._timers else None)
        return None

    def _schedule(self, item: Item, when: float) -> None:
        if when < self._due.get(item, float("inf")):
            self._due[item] = when
            heapq.heappush(self._timers, (when, item))

    def _move_due(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            when, item = heapq.heappop(self._timers)
            if self._due.get(item) == when:
                del self._due[item]
                self._queue[item] = None
