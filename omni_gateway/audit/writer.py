"""A thread of each worker writes entries to the store, in batches: no request waits for it; its queue is bounded."""

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

from omni_gateway.audit.sampling import Crowd
from omni_gateway.http.metrics import AUDITED
from omni_gateway.store import AuditEntry, AuditStore, StoreRefused, StoreUnavailable

#: No child of the logger of audit lines, whose handlers would take its records for lines.
log = logging.getLogger("omni_gateway.audit_writer")

QUEUED = 10_000
BATCH = 500
#: What comes within this time after the first entry is written with it.
GATHER_SECONDS = 0.2
IDLE_SECONDS = 5.0
PRUNE_SECONDS = 600.0
STOP_SECONDS = 5.0
LONGEST_PAUSE = 10.0
#: Of the rows, those of callers without a credential may be one in so many.
STRANGERS = 10


@dataclass(frozen=True, slots=True)
class Retention:
    """How long entries are kept, and how many at most (0: the store holds none)."""

    age: timedelta
    rows: int


class Keeper:
    """Takes entries and writes them when it can; what does not fit into its queue is counted and left out."""

    def __init__(self, store: AuditStore, retention: Retention) -> None:
        self._store = store
        self._retention = retention
        self._lock = Lock()
        self._pid = 0
        self._full = False

    def put(self, entry: AuditEntry) -> None:
        """Take an entry, at once and whatever the store does."""
        if self._retention.rows == 0:
            return
        if self._pid != os.getpid():
            self._start()
        if not self._crowd.admits(entry):
            AUDITED.labels("counted").inc()
            return
        try:
            self._queue.put_nowait(entry)
        except Full:
            AUDITED.labels("lost").inc()
            if not self._full:
                self._full = True
                log.error("more than %d audit entries wait for the store; the log has those that it will miss", QUEUED)

    def stop(self) -> None:
        """Write what waits, for a few seconds at most, and end the thread."""
        if self._pid != os.getpid() or self._stopping.is_set():
            return
        self._stopping.set()
        with suppress(Full):  # then the thread is not asleep
            self._queue.put_nowait(None)
        self._thread.join(STOP_SECONDS)

    def _start(self) -> None:
        """Begin in this process: threads and what they hold do not live through a fork."""
        with self._lock:
            if self._pid == os.getpid():
                return
            self._queue: Queue[AuditEntry | None] = Queue(QUEUED)
            self._crowd = Crowd()
            self._stopping = Event()
            self._thread = Thread(target=self._run, name="audit", daemon=True)
            self._thread.start()
            atexit.register(self.stop)
            self._pid = os.getpid()

    def _run(self) -> None:
        prune_at = time.monotonic() + random.uniform(0, PRUNE_SECONDS / 10)  # noqa: S311 (workers take turns)
        while True:
            stopping = self._stopping.is_set()
            batch = [*self._gather(), *self._crowd.sums(now=stopping)]
            if batch:
                self._write(batch)
            elif stopping:
                return
            if time.monotonic() >= prune_at and not stopping:
                self._prune()
                prune_at = time.monotonic() + PRUNE_SECONDS

    def _gather(self) -> list[AuditEntry]:
        """Wait for an entry and take with it what comes soon after; None in the queue only wakes."""
        batch: list[AuditEntry | None] = []
        with suppress(Empty):
            if not self._stopping.is_set():
                batch.append(self._queue.get(timeout=IDLE_SECONDS))
                self._stopping.wait(GATHER_SECONDS)
            while len(batch) < BATCH:
                batch.append(self._queue.get_nowait())
        return [entry for entry in batch if entry is not None]

    def _write(self, batch: list[AuditEntry]) -> None:
        """Write a batch; while the store is away it waits, and the queue behind it fills."""
        pause = 0.1
        while True:
            try:
                self._store.add(batch)
            except Exception as error:  # whatever it is, this thread goes on
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
        """Write what can be written, so that one entry that the store refuses costs no others."""
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
                strangers=self._retention.rows // STRANGERS,
                go_on=lambda: not self._stopping.is_set(),
            )
        except StoreUnavailable as error:
            log.warning("old audit entries could not be removed now: %s", error.reason)
        except Exception:  # whatever it is, this thread goes on
            log.exception("old audit entries could not be removed")


def _is_refusal(error: Exception) -> bool:
    """Whether it is what was written that the database refuses, and not the database that cannot be used."""
    from sqlalchemy.exc import IntegrityError

    return isinstance(error, (StoreRefused, IntegrityError))
