"""Rate-limit counts in Redis, shared by replicas, with a fallback to each worker's memory while Redis is unavailable.

flask-limiter's own fallback does not suffice: of several requests that fail at once only one falls back, the others get
its exception (500), and each of its checks of a hanging Redis delays a request. Here a thread checks.
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
        self._memory = MemoryStorage()
        self._lock = Lock()
        self._unavailable = False

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """Return the exceptions of an unusable storage: none, for the methods raise nothing."""
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
        """Return whether counts are in Redis, and it answers."""
        return not self._unavailable and bool(self._shared.check())

    def reset(self) -> int | None:
        """Remove all counts."""
        return self._either(lambda storage: storage.reset())

    def clear(self, key: str) -> None:
        """Remove a count."""
        self._either(lambda storage: storage.clear(key))

    def _either(self, call: Callable[[Storage], T]) -> T:
        if not self._unavailable:
            try:
                return call(self._shared)
            except self._errors as error:
                self._fall_back(error)
        return call(self._memory)

    def _fall_back(self, error: Exception) -> None:
        with self._lock:
            if self._unavailable:  # another request has started the thread already
                return
            self._unavailable = True
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
        self._unavailable = False
        log.warning("rate limits: counted in Redis again")
