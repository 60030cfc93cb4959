"""The deadline of the current thread's store call."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_current = threading.local()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Set a deadline of ``seconds`` from now within the block; a nested one can only be shorter."""
    before: float | None = getattr(_current, "until", None)
    until = time.monotonic() + seconds
    _current.until = until if before is None else min(before, until)
    try:
        yield
    finally:
        _current.until = before


def remaining(otherwise: float) -> float:
    """Return the seconds until the deadline, negative after it; ``otherwise`` without a deadline."""
    until: float | None = getattr(_current, "until", None)
    return otherwise if until is None else until - time.monotonic()
