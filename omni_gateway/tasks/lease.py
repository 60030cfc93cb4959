"""A lease in the store: of all processes of a deployment, one at a time holds it.

A process takes a lease over when its holding has not changed for :data:`TAKEN_OVER_AFTER_SECONDS` of its own clock, so
clocks of different machines need not agree. A holder renews it each :data:`RENEW_SECONDS`, and gives it up by itself if
it could not for :data:`VALID_SECONDS`, which is earlier.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from uuid import uuid4

from omni_gateway.store import StoreUnavailable
from omni_gateway.store.leases import Holding, LeaseStore

log = logging.getLogger(__name__)

RENEW_SECONDS = 5.0
VALID_SECONDS = 10.0
TAKEN_OVER_AFTER_SECONDS = 18.0


class Lease:
    """One process's view of a lease. Not thread-safe: one thread uses it at a time."""

    def __init__(self, store: LeaseStore, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self.name = name
        self._clock = clock
        self._me = f"{socket.gethostname()[:50]}-{os.getpid()}-{uuid4().hex[:8]}"
        self._seen: Holding | None = None
        self._seen_at = clock()
        self._valid_until = 0.0

    def acquire(self) -> bool:
        """Take the lease if nobody holds it; return whether this process holds it now."""
        started = self._clock()
        try:
            found = self._store.find(self.name)
            if found != self._seen:
                self._seen, self._seen_at = found, started
            free = found is None or not found.holder or self._clock() - self._seen_at >= TAKEN_OVER_AFTER_SECONDS
            return free and self._swap(self._me)
        except StoreUnavailable:
            return False

    def renew(self) -> bool:
        """Renew the lease; return False when it is lost: another process has it, or it could not be renewed in time."""
        try:
            return self._swap(self._me)
        except StoreUnavailable:
            return self._clock() < self._valid_until

    def release(self) -> None:
        """Give the lease up, so that another process can have it at once; if that fails, it runs out."""
        try:
            self._swap("")
        except StoreUnavailable:
            return

    def _swap(self, holder: str) -> bool:
        started = self._clock()
        new = self._store.swap(self.name, self._seen, holder)
        if new is None:
            return False
        self._seen, self._seen_at, self._valid_until = new, started, started + VALID_SECONDS
        return True


@contextmanager
def renewed(lease: Lease, ending: Event, every: float = RENEW_SECONDS) -> Iterator[None]:
    """Renew a lease that this process holds, in a thread, while the block runs; then release it.

    ``ending`` is set when the lease is lost, and at the end of the block.
    """

    def keep() -> None:
        while not ending.wait(every):
            if not lease.renew():
                log.warning("the lease %s is lost", lease.name)
                ending.set()

    keeper = Thread(target=keep, name=f"lease-{lease.name}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        keeper.join()
        lease.release()
