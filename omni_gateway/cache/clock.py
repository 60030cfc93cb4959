"""The clock of the cache: one for all its bounds, so that a test can drive them."""

from __future__ import annotations

import threading
import time


class Clock:
    """Monotonic time; a test passes a subclass whose time passes only as the test says."""

    def now(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait until ``condition`` is notified, ``seconds`` at most; called with the condition's lock held."""
        condition.wait(seconds)


MONOTONIC = Clock()
