"""A circuit breaker for one kind of store calls, which also logs when these begin to fail and when they work again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

from omni_gateway.store.errors import Failure, StoreUnavailable

log = logging.getLogger(__name__)

#: A call that failed after this time held its caller up: the next ones fail at once for a while.
SLOW_SECONDS = 0.5
SHORTEST_PAUSE = 1.0
LONGEST_PAUSE = 5.0
#: A database that fails now and then is logged so often at most.
LOG_SECONDS = 60.0


class Circuit:
    """Raises at once while calls time out, and lets one through after each pause to see whether they still do.

    Calls that fail quickly (connection refused, disk full) hold nobody up: each of them is tried.
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
        """Return how the last call failed, None when it did not."""
        return self._failure

    def admit(self) -> bool:
        """Return whether this call is the one that tries again; raise StoreUnavailable where it must not be made."""
        if self._failure is None:
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
        """Raise StoreUnavailable while calls fail at once."""
        failure, left = self._failure, self._open_until - self._clock()
        if failure is not None and left > 0:
            raise StoreUnavailable(failure.reason, max(1.0, left))

    def failed(self, failure: Failure, seconds: float, message: str, *, trying: bool) -> None:
        """Take a failure that came after so many seconds; ``message`` is the driver's."""
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
            tell = not self._logged and now >= self._logged_at + LOG_SECONDS
            if tell:
                self._logged, self._logged_at = True, now
        if tell:
            log.error("the store cannot be %s (%s); what needs it is answered 503 meanwhile", self._doing, message)

    def succeeded(self) -> None:
        """Take a success: everything is as it should be."""
        if self._failure is None:
            return
        with self._lock:
            if self._failure is None:
                return
            self._failure = None
            self._open_until = float("-inf")
            self._pause = SHORTEST_PAUSE
            self._trying = False
            tell, self._logged = self._logged, False
            seconds = self._clock() - self._since
        if tell:
            log.warning("the store can be %s again, after %.1f s", self._doing, seconds)

    def abandoned(self, *, trying: bool) -> None:
        """Take that a call ended without telling anything of the store."""
        if trying:
            with self._lock:
                self._trying = False
