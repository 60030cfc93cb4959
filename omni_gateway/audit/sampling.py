"""Sampling of entries that anyone can cause: of each minute the first ones are stored, the others only counted."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime
from threading import Lock

from omni_gateway.audit.entries import new_id, outcome_of
from omni_gateway.store import AuditEntry

#: In each worker.
MOST_EACH_MINUTE = 10
MINUTE = 60.0
#: Sampled for authenticated callers too: no valid credential; too many requests. All entries without a caller, such as
#: requests that the server itself refuses, are sampled.
SAMPLED_STATUSES = (401, 429)


class Sampler:
    """Admits the first entries of each minute and counts the others, by status and problem code; thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = 0.0
        self._admitted = 0
        self._counted: Counter[tuple[int, str]] = Counter()

    def admits(self, entry: AuditEntry) -> bool:
        """Return whether an entry is to be stored; one that is not is counted."""
        if entry.caller_id and entry.status not in SAMPLED_STATUSES:
            return True
        with self._lock:
            now = time.monotonic()
            if now >= self._until:
                self._until = now + MINUTE
                self._admitted = 0
            if self._admitted < MOST_EACH_MINUTE:
                self._admitted += 1
                return True
            self._counted[entry.status, entry.code] += 1
            return False

    def sums(self, *, now: bool = False) -> list[AuditEntry]:
        """Return an entry for each status and code with its count, and reset; empty before the minute's end.

        ``now``: do not wait for the minute's end.
        """
        with self._lock:
            if not self._counted or not (now or time.monotonic() >= self._until):
                return []
            counted, self._counted = self._counted, Counter()
        return [_sum(status, code, times) for (status, code), times in counted.items()]


def _sum(status: int, code: str, times: int) -> AuditEntry:
    moment = time.time_ns()
    at = datetime.fromtimestamp(moment / 1e9, UTC)
    return AuditEntry(new_id(moment), at, status, outcome=outcome_of(status), code=code, times=times)
