"""Guessing is slow: who sends refused credentials has to wait, before any of the work that looking one up takes."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from omni_gateway.lru import LRUCache

GOOD_SECONDS = 3600.0
MOST_GOOD = 4096
_ALL = "all"


class FailedLogins:
    """Counts refused credentials by address and in all, in one process.

    A credential that was good within the last hour is let through while its address has to wait: whoever shares the
    address (a NAT, a proxy) with somebody who guesses goes on working. Of it only a keyed hash is kept, whose key dies
    with the process. Memory is bounded: an address that waits counts no more, and neither does any once all wait.
    """

    def __init__(self, per_address: Sequence[RateLimitItem], in_all: Sequence[RateLimitItem]) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._per_address = tuple(per_address)
        self._in_all = tuple(in_all)
        self._key = secrets.token_bytes(32)
        self._good: LRUCache[bytes, float] = LRUCache(MOST_GOOD)

    def seconds_to_wait(self, address: str, credential: str) -> float:
        """Return how long to refuse a credential unseen; 0: look at it now."""
        if self._was_good(credential):
            return 0.0
        now = time.time()
        limits = [(item, address) for item in self._per_address] + [(item, _ALL) for item in self._in_all]
        until = max(
            (self._limiter.get_window_stats(*one)[0] for one in limits if not self._limiter.test(*one)), default=0
        )
        return 0.0 if until <= now else max(1.0, until - now)

    def succeeded(self, credential: str) -> None:
        """Remember a credential that proved somebody."""
        self._good.put(self._digest(credential), time.monotonic() + GOOD_SECONDS)

    def failed(self, address: str, credential: str) -> None:
        """Count a credential that proved nobody."""
        self._good.drop(self._digest(credential))
        for item in self._per_address:
            self._limiter.hit(item, address)
        for item in self._in_all:
            self._limiter.hit(item, _ALL)

    def _was_good(self, credential: str) -> bool:
        return (self._good.get(self._digest(credential)) or 0.0) > time.monotonic()

    def _digest(self, credential: str) -> bytes:
        return hashlib.blake2b(credential.encode("utf-8", "surrogateescape"), key=self._key, digest_size=16).digest()
