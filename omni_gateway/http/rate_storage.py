"""Counts that replicas share in Redis, and that each worker keeps for itself while Redis cannot be used.

flask-limiter can fall back too, but only one request at a time may find out: others that fail in the same moment get
its exception (500), and each look at a Redis that hangs holds a request up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Any, TypeVar, cast

from limits.storage import MemoryStorage, Storage, storage_from_string

log = logging.getLogger(__name__)

T = TypeVar("T")

PREFIX = "fallback+"
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0


class FallbackStorage(Storage):
    """A storage of ``limits`` for URLs such as ``fallback+redis://…``; no method of it raises."""

    STORAGE_SCHEME = [f"{PREFIX}{scheme}" for scheme in ("redis", "rediss", "redis+unix")]

    def __init__(self, uri: str, wrap_exceptions: bool = False, **options: Any) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._shared = cast(Storage, storage_from_string(uri.removeprefix(PREFIX), **options))
        errors = self._shared.base_exceptions
        self._errors: tuple[type[Exception], ...] = (OSError, *(errors if isinstance(errors, tuple) else (errors,)))
        self._own = MemoryStorage()
        self._lock = Lock()
        self._away = False

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """Return what the methods raise for an unusable storage: nothing."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count a request."""
        return self._either(lambda storage: storage.incr(key, expiry, amount=amount))

    def get(self, key: str) -> int:
        """Return a count."""
        return self._either(lambda storage: storage.get(key))

    def get_expiry(self, key: str) -> float:
        """Return when a count ends."""
        return self._either(lambda storage: storage.get_expiry(key))

    def check(self) -> bool:
        """Return whether counts are shared."""
        return not self._away and bool(self._shared.check())

    def reset(self) -> int | None:
        """Forget all counts."""
        return self._either(lambda storage: storage.reset())

    def clear(self, key: str) -> None:
        """Forget a count."""
        self._either(lambda storage: storage.clear(key))

    def _either(self, call: Callable[[Storage], T]) -> T:
        if not self._away:
            try:
                return call(self._shared)
            except self._errors as error:
                self._fall_back(error)
        return call(self._own)

    def _fall_back(self, error: Exception) -> None:
        with self._lock:
            if self._away:
                return
            self._away = True
        log.warning(
            "rate limits: Redis cannot be used (%s): falling back to in-memory counts of each worker",
            type(error).__name__,
        )
        Thread(target=self._return_when_possible, name="rate-limits", daemon=True).start()

    def _return_when_possible(self) -> None:
        pause = FIRST_PAUSE
        while True:
            time.sleep(pause)
            if self._shared.check():
                break
            pause = min(pause * 2, LONGEST_PAUSE)
        self._away = False
        log.warning("rate limits: counted in Redis again")
