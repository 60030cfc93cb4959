"""Two gunicorn instances side by side count a caller's requests together, and go on alone when Redis is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from omni_gateway.simulator.embedded import RunningSimulator
from tests.e2e.conftest import Served, start_gateway, stop_gateway

from .conftest import Redis, needs_redis

pytestmark = [needs_redis, pytest.mark.timeout(400), pytest.mark.slow]

MOST = 6


@pytest.fixture(scope="module")
def replicas(
    simulator: RunningSimulator, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Served]]:
    """Two gateways with one store and one Redis; each test has a caller of its own."""
    environ = {
        "OMNI_ENDPOINT": simulator.endpoint,
        "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
        "OMNI_GATEWAY_STORE_URL": f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.sqlite'}",
        "OMNI_GATEWAY_RATE_LIMIT": f"{MOST}/hour",
        "OMNI_GATEWAY_REDIS_URL": redis.url,
    }
    started = [start_gateway(tmp_path_factory.mktemp("gateway"), environ) for _ in range(2)]
    yield started
    for served in started:
        stop_gateway(served)


def ask(served: Served, token: str) -> int:
    head = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{served.url}/api/v1/machines?page_size=1", headers=head, timeout=30).status_code


def test_replicas_count_a_callers_requests_together(replicas: list[Served]) -> None:
    token = replicas[0].tokens["reader"]
    assert [ask(replicas[number % 2], token) for number in range(MOST)] == [200] * MOST
    assert [ask(replica, token) for replica in replicas] == [429, 429]
    assert ask(replicas[1], replicas[0].tokens["admin"]) == 200


def test_without_redis_each_counts_alone_and_with_it_again_together(
    replicas: list[Served], redis: Redis, wait_until: Callable[..., Any]
) -> None:
    served = replicas[0]
    token = served.tokens["operator"]
    redis.stop()
    assert [ask(served, token) for _ in range(MOST + 1)] == [200] * MOST + [429]
    assert served.log is not None
    assert "falling back to in-memory" in served.log.read_text()
    redis.start()
    wait_until(lambda: ask(served, token) == 200, 60, "the return to Redis, which has counted nothing yet")
