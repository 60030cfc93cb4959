"""Fail fast once Omni is silent: a circuit breaker that counts time without an answer, not failures.

Libraries for it (pybreaker, circuitbreaker) open after a number of failures. Here one slow call among answered ones is
no reason, and a refused connection fails fast by itself; an Omni that takes calls and answers none holds threads.
So the circuit opens when a call has waited in vain for ``silent_seconds`` and no other was answered meanwhile. While it
is open, calls fail at once; probes go through, as does one call now and then, and the first answer closes it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import grpc

from omni_gateway.omni.errors import OmniSilent

log = logging.getLogger(__name__)

#: At most; an Omni whose calls may take less time than this is silent after that time.
SILENT_SECONDS = 5.0
#: Without a probe for so long, one call is let through to find out; longer than a probe and the pause after it.
TRIAL_SECONDS = 10.0
RETRY_AFTER_SECONDS = 3.0


class Circuit:
    """Whether Omni answers, as the calls of one process see it; thread-safe.

    ``opened`` is called, outside of any lock, each time that the circuit opens.
    """

    def __init__(self, timeout: float, opened: Callable[[], None]) -> None:
        self._silent_seconds = min(SILENT_SECONDS, timeout)
        self._opened = opened
        self.start_over()

    def start_over(self) -> None:
        """Begin closed; called in the child after a fork, when another thread may have held the lock."""
        self._lock = threading.Lock()
        self._answered_at = 0.0
        self._unanswered_since: float | None = None
        self._open = False
        self._next_trial = 0.0

    def admit(self, method: str, *, probe: bool) -> None:
        """Let a call begin, or raise :class:`OmniSilent`."""
        if not self._open:
            return
        now = time.monotonic()
        with self._lock:
            if not self._open:
                return
            if probe or now >= self._next_trial:
                self._next_trial = now + TRIAL_SECONDS
                return
        text = "Omni has stopped to answer; it was not asked"
        raise OmniSilent(grpc.StatusCode.UNAVAILABLE, text, method, retry_after=RETRY_AFTER_SECONDS)

    def answered(self) -> None:
        """Note an answer of Omni, whatever it says."""
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
