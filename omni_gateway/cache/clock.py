"""The clock of the cache: one for all its bounds, so that a test can drive them."""

from __future__ import annotations

import random
import threading
import time


class Clock:
    """Monotonic time; a test passes a subclass whose time passes only as the test says."""

    #: Return monotonic seconds.
    now = staticmethod(time.monotonic)

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait until ``condition`` is notified, ``seconds`` at most; called with the condition's lock held."""
        condition.wait(seconds)

    def jitter(self, least: float, most: float) -> float:
        """Return a random duration between two, in seconds, so that processes do not act all at once."""
        return random.uniform(least, most)  # noqa: S311 (not for security)


MONOTONIC = Clock()
