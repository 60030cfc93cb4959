"""Two gunicorn instances side by side count a caller's requests together, and go on alone when Redis is away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Served

from .conftest import Redis, needs_redis

pytestmark = [needs_redis, pytest.mark.timeout(400), pytest.mark.slow]


def ask(served: Served, token: str) -> int:
    head = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{served.url}/api/v1/machines?page_size=1", headers=head, timeout=30).status_code


def test_replicas_count_a_callers_requests_together(serve: Callable[..., Served], redis: Redis) -> None:
    replicas = [serve(OMNI_GATEWAY_RATE_LIMIT="6/hour", OMNI_GATEWAY_REDIS_URL=redis.url) for _ in range(2)]
    token = replicas[0].tokens["reader"]
    assert [ask(replicas[number % 2], token) for number in range(6)] == [200] * 6
    assert [ask(replica, token) for replica in replicas] == [429, 429]
    assert ask(replicas[1], replicas[0].tokens["admin"]) == 200


def test_without_redis_each_counts_alone_and_with_it_again_together(
    serve: Callable[..., Served], redis: Redis, tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    served = serve(OMNI_GATEWAY_RATE_LIMIT="3/hour", OMNI_GATEWAY_REDIS_URL=redis.url)
    token = served.tokens["reader"]
    redis.stop()
    assert [ask(served, token) for _ in range(4)] == [200, 200, 200, 429]
    assert "falling back to in-memory" in (tmp_path / "gateway.log").read_text()
    redis.start()
    wait_until(lambda: ask(served, token) == 200, 60, "the return to Redis, which has counted nothing yet")
