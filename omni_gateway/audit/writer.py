"""Writing of entries to the store, by a thread of each worker: in batches, from a bounded queue."""

from __future__ import annotations

import atexit
import logging
import os
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread

from omni_gateway.audit.sampling import Sampler
from omni_gateway.http.metrics import AUDITED
from omni_gateway.store import AuditEntry, AuditStore, StoreRefused, StoreUnavailable

#: Not a child of the logger of audit lines, whose handlers would write its records as lines.
log = logging.getLogger("omni_gateway.audit_writer")

QUEUED = 10_000
BATCH = 500
#: Entries that arrive within this time after the first are written in its batch.
GATHER_SECONDS = 0.2
IDLE_SECONDS = 5.0
PRUNE_SECONDS = 600.0
STOP_SECONDS = 5.0
LONGEST_PAUSE = 10.0
#: One in so many of the rows may be of requests without a known caller: anyone can cause these.
UNAUTHENTICATED_SHARE = 10


@dataclass(frozen=True, slots=True)
class Retention:
    """The age and the number of rows beyond which entries are removed; ``rows`` 0: none are stored."""

    age: timedelta
    rows: int


class AuditWriter:
    """Queues entries for its thread; entries beyond ``QUEUED`` are counted as lost.

    The thread is started by the first entry in each process, for threads do not survive a fork.
    """

    def __init__(self, store: AuditStore, retention: Retention) -> None:
        self._store = store
        self._retention = retention
        self._lock = Lock()
        self._pid = 0
        self._full = False

    def put(self, entry: AuditEntry) -> None:
        """Queue an entry, or count it; does not block on the store."""
        if self._retention.rows == 0:
            return
        if self._pid != os.getpid():
            self._start()
        if not self._sampler.admits(entry):
            AUDITED.labels("counted").inc()
            return
        try:
            self._queue.put_nowait(entry)
        except Full:
            AUDITED.labels("lost").inc()
            if not self._full:
                self._full = True
                log.error("more than %d audit entries wait for the store; further ones are in the log only", QUEUED)

    def stop(self) -> None:
        """Write the queued entries, for at most ``STOP_SECONDS``, and end the thread."""
        if self._pid != os.getpid() or self._stopping.is_set():
            return
        self._stopping.set()
        with suppress(Full):  # a full queue has woken the thread already
            self._queue.put_nowait(None)
        self._thread.join(STOP_SECONDS)

    def _start(self) -> None:
        """Create queue, sampler and thread in this process: those of the parent do not survive a fork."""
        with self._lock:
            if self._pid == os.getpid():
                return
            self._queue: Queue[AuditEntry | None] = Queue(QUEUED)
            self._sampler = Sampler()
            self._stopping = Event()
            self._thread = Thread(target=self._run, name="audit", daemon=True)
            self._thread.start()
            atexit.register(self.stop)
            self._pid = os.getpid()

    def _run(self) -> None:
        prune_at = time.monotonic() + random.uniform(0, PRUNE_SECONDS / 10)  # noqa: S311 (workers take turns)
        while True:
            stopping = self._stopping.is_set()
            batch = [*self._gather(), *self._sampler.sums(now=stopping)]
            if batch:
                self._write(batch)
            elif stopping:
                return
            if time.monotonic() >= prune_at and not stopping:
                self._prune()
                prune_at = time.monotonic() + PRUNE_SECONDS

    def _gather(self) -> list[AuditEntry]:
        """Wait for an entry, and return it with those that follow soon; None in the queue only wakes the thread."""
        batch: list[AuditEntry | None] = []
        with suppress(Empty):
            if not self._stopping.is_set():
                batch.append(self._queue.get(timeout=IDLE_SECONDS))
                self._stopping.wait(GATHER_SECONDS)
            while len(batch) < BATCH:
                batch.append(self._queue.get_nowait())
        return [entry for entry in batch if entry is not None]

    def _write(self, batch: list[AuditEntry]) -> None:
        """Write a batch, and retry while the store is unavailable; the queue fills meanwhile."""
        pause = 0.1
        while True:
            try:
                self._store.add(batch)
            except Exception as error:  # any: the thread must not end
                if _is_refusal(error):
                    self._write_each(batch, error)
                    return
                if pause == 0.1:
                    reason = error.reason if isinstance(error, StoreUnavailable) else type(error).__name__
                    log.error("the store takes no audit entries (%s); they wait", reason)
                if self._stopping.wait(pause):
                    self._lose(batch)
                    return
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                AUDITED.labels("kept").inc(len(batch))
                self._full = False
                return

    def _write_each(self, batch: list[AuditEntry], error: Exception) -> None:
        """Write the entries one by one, so that only those are lost that the store refuses."""
        if len(batch) == 1:
            log.error("the store refuses an audit entry (%s)", type(error).__name__)
            self._lose(batch)
            return
        for entry in batch:
            self._write([entry])

    def _lose(self, batch: list[AuditEntry]) -> None:
        AUDITED.labels("lost").inc(len(batch))

    def _prune(self) -> None:
        try:
            self._store.prune(
                before=datetime.now(UTC) - self._retention.age,
                rows=self._retention.rows,
                unauthenticated_rows=self._retention.rows // UNAUTHENTICATED_SHARE,
                go_on=lambda: not self._stopping.is_set(),
            )
        except StoreUnavailable as error:
            log.warning("old audit entries could not be removed now: %s", error.reason)
        except Exception:  # any: the thread must not end
            log.exception("old audit entries could not be removed")


def _is_refusal(error: Exception) -> bool:
    """Return whether the database refuses the entries themselves, which a retry would not change."""
    from sqlalchemy.exc import IntegrityError

    return isinstance(error, (StoreRefused, IntegrityError))
