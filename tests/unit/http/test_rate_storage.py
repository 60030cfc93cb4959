"""Counts when Redis fails: for all requests at once, and without any of them waiting twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from limits import parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import TimeoutError as RedisTimeout

from omni_gateway.http import rate_storage
from omni_gateway.http.rate_storage import FallbackStorage

LIMIT = parse("5/hour")


class Shared(Storage):
    """A storage that hangs, and fails, on demand."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.counted = 0
        self.together = threading.Barrier(1)

    @property
    def base_exceptions(self) -> type[Exception]:
        return RedisTimeout

    def _ask(self) -> None:
        if self.away:
            self.together.wait(10)
            raise RedisTimeout("Timeout reading from socket")

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self._ask()
        self.counted += amount
        return self.counted

    def get(self, key: str) -> int:
        self._ask()
        return self.counted

    def get_expiry(self, key: str) -> float:
        self._ask()
        return time.time() + 60

    def check(self) -> bool:
        return not self.away

    def reset(self) -> int | None:
        return None

    def clear(self, key: str) -> None:
        return None


@pytest.fixture
def shared() -> Shared:
    return Shared()


@pytest.fixture
def limiter(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> Iterator[FixedWindowRateLimiter]:
    monkeypatch.setattr(rate_storage, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(rate_storage, "storage_from_string", lambda uri, **options: shared)
    yield FixedWindowRateLimiter(FallbackStorage("fallback+redis://127.0.0.1:1/0"))
    shared.away = False  # ends the thread that looks


def test_requests_that_meet_the_same_failure_are_all_counted(
    shared: Shared, limiter: FixedWindowRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    shared.away = True
    shared.together = threading.Barrier(8)
    passed: list[Any] = []

    def hit() -> None:
        try:
            passed.append(limiter.hit(LIMIT, "caller"))
        except Exception as error:
            passed.append(error)

    threads = [threading.Thread(target=hit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(passed) == [False] * 3 + [True] * 5
    assert len([line for line in caplog.messages if "falling back" in line]) == 1


def test_redis_is_used_again_when_it_is_back(
    shared: Shared, limiter: FixedWindowRateLimiter, wait_until: Callable[..., Any]
) -> None:
    shared.away = True
    assert limiter.hit(LIMIT, "caller")
    shared.away = False
    wait_until(limiter.storage.check)
    limiter.hit(LIMIT, "caller")
    assert shared.counted == 1
