"""A circuit breaker for one kind of store calls; it logs when they begin to fail and when they succeed again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

from omni_gateway.store.errors import Failure, StoreUnavailable

log = logging.getLogger(__name__)

#: A call that failed after this time opens the circuit: the next ones fail at once for a while.
SLOW_SECONDS = 0.5
SHORTEST_PAUSE = 1.0
LONGEST_PAUSE = 5.0
#: The shortest time between two log lines about failures, for a database that fails now and then.
LOG_SECONDS = 60.0


class Circuit:
    """Open while calls time out: they raise at once, but for one trial after each pause; thread-safe.

    Quick failures (connection refused, disk full) do not open it, for they block no thread: each call is tried.
    """

    def __init__(self, doing: str, clock: Callable[[], float] = time.monotonic) -> None:
        """``doing`` completes "the store cannot be", for the log: "read", "written"."""
        self._doing = doing
        self._clock = clock
        self._lock = Lock()
        self._failure: Failure | None = None
        self._since = 0.0
        self._open_until = float("-inf")
        self._pause = SHORTEST_PAUSE
        self._trying = False
        self._logged_at = float("-inf")
        self._logged = False

    @property
    def failure(self) -> Failure | None:
        """Return the failure of the last call; None if it succeeded."""
        return self._failure

    def admit(self) -> bool:
        """Return whether this call is the trial; raise StoreUnavailable if it must not be made."""
        if self._failure is None:  # without the lock, for every call comes here
            return False
        with self._lock:
            now = self._clock()
            if self._failure is None or self._open_until == float("-inf"):
                return False
            if now < self._open_until or self._trying:
                raise StoreUnavailable(self._failure.reason, max(1.0, self._open_until - now))
            self._trying = True
            return True

    def refuse_if_open(self) -> None:
        """Raise StoreUnavailable while the circuit is open."""
        failure, remaining = self._failure, self._open_until - self._clock()
        if failure is not None and remaining > 0:
            raise StoreUnavailable(failure.reason, max(1.0, remaining))

    def failed(self, failure: Failure, seconds: float, message: str, *, trying: bool) -> None:
        """Note a call that failed after ``seconds``; ``message`` is the driver's, ``trying``: it was the trial."""
        with self._lock:
            now = self._clock()
            if self._failure is None:
                self._since = now
            self._failure = failure
            if trying:
                self._trying = False
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
            if seconds >= SLOW_SECONDS:
                self._open_until = now + self._pause
            elif trying:
                self._open_until = float("-inf")
            is_logged = not self._logged and now >= self._logged_at + LOG_SECONDS
            if is_logged:
                self._logged, self._logged_at = True, now
        if is_logged:
            log.error("the store cannot be %s (%s); what needs it is answered 503 meanwhile", self._doing, message)

    def succeeded(self) -> None:
        """Note a call that succeeded, and close the circuit."""
        if self._failure is None:
            return
        with self._lock:
            if self._failure is None:
                return
            self._failure = None
            self._open_until = float("-inf")
            self._pause = SHORTEST_PAUSE
            self._trying = False
            was_logged, self._logged = self._logged, False
            seconds = self._clock() - self._since
        if was_logged:
            log.warning("the store can be %s again, after %.1f s", self._doing, seconds)

    def abandoned(self, *, trying: bool) -> None:
        """Note a call that ended without a result of the store (an error of its caller's code)."""
        if trying:
            with self._lock:
                self._trying = False
