"""The time that the store call of this thread has left."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_current = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give what this thread does meanwhile so many seconds in all; a deadline inside another can only be shorter."""
    before: float | None = getattr(_current, "until", None)
    until = time.monotonic() + seconds
    _current.until = until if before is None else min(before, until)
    try:
        yield
    finally:
        _current.until = before


def remaining(otherwise: float) -> float:
    """Return the seconds that are left, negative once they are over; ``otherwise`` without a deadline."""
    until: float | None = getattr(_current, "until", None)
    return otherwise if until is None else until - time.monotonic()
