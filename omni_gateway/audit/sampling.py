"""Refusals that anybody can cause, bounded: the store holds the first of a minute, and of the rest the number."""

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
#: No valid credential; too many requests. Whoever has a credential answers for everything else that is kept; what no
#: caller is known for, such as requests that the server itself refuses, anybody can cause.
CROWDED = (401, 429)


class Crowd:
    """Lets the first entries of each minute through and counts the others, by status and problem code."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = 0.0
        self._let_through = 0
        self._counted: Counter[tuple[int, str]] = Counter()

    def admits(self, entry: AuditEntry) -> bool:
        """Whether the store shall hold an entry; one that it shall not is counted."""
        if entry.caller_id and entry.status not in CROWDED:
            return True
        with self._lock:
            now = time.monotonic()
            if now >= self._until:
                self._until = now + MINUTE
                self._let_through = 0
            if self._let_through < MOST_EACH_MINUTE:
                self._let_through += 1
                return True
            self._counted[entry.status, entry.code] += 1
            return False

    def sums(self, *, now: bool = False) -> list[AuditEntry]:
        """Return what was counted, one entry for each sort, once the minute is over (or ``now``); begin anew."""
        with self._lock:
            if not self._counted or not (now or time.monotonic() >= self._until):
                return []
            counted, self._counted = self._counted, Counter()
        return [_sum(status, code, times) for (status, code), times in counted.items()]


def _sum(status: int, code: str, times: int) -> AuditEntry:
    moment = time.time_ns()
    time_of_it = datetime.fromtimestamp(moment / 1e9, UTC)
    return AuditEntry(new_id(moment), time_of_it, status, outcome=outcome_of(status), code=code, times=times)
