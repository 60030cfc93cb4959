"""A circuit breaker for an Omni that accepts calls but does not answer: it measures time without answers.

Libraries for it (pybreaker, circuitbreaker) open after a number of failures. Here, one slow call among answered ones is
no failure, and a refused connection fails fast by itself; only calls without an answer block threads. The circuit opens
when a call has timed out, ``silent_seconds`` have passed, and no other call was answered meanwhile. While it is open,
calls fail at once; probes are sent, as is one call every ``TRIAL_SECONDS``, and the first answer closes it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import grpc

from omni_gateway.omni.errors import OmniSilent

log = logging.getLogger(__name__)

#: Upper bound of the time without an answer; a shorter timeout of calls counts instead.
SILENT_SECONDS = 5.0
#: After this time without a probe one call is sent as a trial; longer than a probe and the pause after it.
TRIAL_SECONDS = 10.0
RETRY_AFTER_SECONDS = 3.0


class Circuit:
    """The circuit of one process's calls to Omni; thread-safe.

    ``opened`` is called each time that the circuit opens, outside of the lock.
    """

    def __init__(self, timeout: float, opened: Callable[[], None]) -> None:
        self._silent_seconds = min(SILENT_SECONDS, timeout)
        self._opened = opened
        self.start_over()

    def start_over(self) -> None:
        """Reset to closed; called in the child after a fork, with a new lock, for another thread may have held it."""
        self._lock = threading.Lock()
        self._answered_at = 0.0
        self._unanswered_since: float | None = None
        self._open = False
        self._next_trial = 0.0

    def admit(self, method: str, *, probe: bool) -> None:
        """Return if a call may be sent; raise :class:`OmniSilent` while the circuit is open."""
        if not self._open:  # without the lock: every call comes here, and a late view of it does no harm
            return
        now = time.monotonic()
        with self._lock:
            if not self._open:
                return
            if probe or now >= self._next_trial:
                self._next_trial = now + TRIAL_SECONDS
                return
        text = "Omni has stopped answering; the call was not sent"
        raise OmniSilent(grpc.StatusCode.UNAVAILABLE, text, method, retry_after=RETRY_AFTER_SECONDS)

    def answered(self) -> None:
        """Note an answer of Omni, an error included."""
        self._answered_at = time.monotonic()
        if not self._open and self._unanswered_since is None:
            return
        with self._lock:
            was_open, self._open, self._unanswered_since = self._open, False, None
        if was_open:
            log.warning("Omni answers again")

    def unanswered(self, began: float) -> None:
        """Note a call that began at ``began`` (monotonic) and got no answer within its time."""
        now = time.monotonic()
        with self._lock:
            if self._open or self._answered_at >= began:
                return
            self._unanswered_since = since = min(began, self._unanswered_since or began)
            if now - since < self._silent_seconds:
                return
            self._open, self._next_trial = True, now + TRIAL_SECONDS
        log.warning("Omni has not answered for %.0f s: calls to it fail at once until it does", now - since)
        self._opened()
