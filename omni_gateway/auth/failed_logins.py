"""Brute-force protection: after refused credentials an address has to wait, before another one is looked up."""

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
    """Counts refused credentials by address and in total, in one process.

    A credential that was valid within the last hour is exempt while its address has to wait, so that an attacker does
    not lock out callers behind the same NAT or proxy. Only a keyed hash of it is remembered; the key is per process.
    Memory is bounded: no more is counted for an address that waits, nor for any address once the total is reached.
    """

    def __init__(self, per_address: Sequence[RateLimitItem], in_all: Sequence[RateLimitItem]) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._per_address = tuple(per_address)
        self._in_all = tuple(in_all)
        self._key = secrets.token_bytes(32)
        self._good: LRUCache[bytes, float] = LRUCache(MOST_GOOD)

    def seconds_to_wait(self, address: str, credential: str) -> float:
        """Return for how many seconds to refuse credentials without a lookup; 0: verify it now."""
        if self._was_good(credential):
            return 0.0
        now = time.time()
        limits = [(item, address) for item in self._per_address] + [(item, _ALL) for item in self._in_all]
        until = max(
            (self._limiter.get_window_stats(*one)[0] for one in limits if not self._limiter.test(*one)), default=0
        )
        return 0.0 if until <= now else max(1.0, until - now)

    def succeeded(self, credential: str) -> None:
        """Remember a valid credential for ``GOOD_SECONDS``."""
        self._good.put(self._digest(credential), time.monotonic() + GOOD_SECONDS)

    def failed(self, address: str, credential: str) -> None:
        """Count an invalid credential."""
        self._good.drop(self._digest(credential))
        for item in self._per_address:
            self._limiter.hit(item, address)
        for item in self._in_all:
            self._limiter.hit(item, _ALL)

    def _was_good(self, credential: str) -> bool:
        return (self._good.get(self._digest(credential)) or 0.0) > time.monotonic()

    def _digest(self, credential: str) -> bytes:
        return hashlib.blake2b(credential.encode("utf-8", "surrogateescape"), key=self._key, digest_size=16).digest()
