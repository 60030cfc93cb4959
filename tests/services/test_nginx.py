"""The reverse proxy configuration that `deploy/` ships, before a gateway."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator

import httpx
import pytest

from benchmarks.slow_clients import raise_file_limit, slow_clients
from omni_gateway.simulator.embedded import RunningSimulator
from tests.e2e.conftest import Served, start_gateway, stop_gateway

from .conftest import before, needs_nginx

pytestmark = [needs_nginx, pytest.mark.timeout(400), pytest.mark.slow]
SLOW = 2000


@pytest.fixture(scope="module")
def served(simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway that trusts the proxy before it."""
    omni = {"OMNI_ENDPOINT": simulator.endpoint, "OMNI_SERVICE_ACCOUNT_KEY": simulator.key}
    limits = {"OMNI_GATEWAY_TRUSTED_PROXIES": "1", "OMNI_GATEWAY_FAILED_LOGINS": "2/hour"}
    running = start_gateway(tmp_path_factory.mktemp("gateway"), omni | limits)
    yield running
    stop_gateway(running)


def machines(port: int, token: str, scheme: str = "http", **options: object) -> httpx.Response:
    head = {"Authorization": f"Bearer {token}"}
    context = ssl._create_unverified_context()  # made by the test itself a moment ago
    url = f"{scheme}://127.0.0.1:{port}/api/v1/machines?page_size=2"
    return httpx.get(url, headers=head, verify=context, timeout=30, **options)  # type: ignore[arg-type]


def test_the_api_is_served_over_tls_and_browsers_are_told_to_stay_there(served: Served) -> None:
    with before(served, tls=True) as port:
        answer = machines(port, served.tokens["reader"], "https")
    assert (answer.status_code, len(answer.json())) == (200, 2)
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_an_id_with_a_slash_passes_through(served: Served) -> None:
    with before(served) as port:
        head = {"Authorization": f"Bearer {served.tokens['reader']}"}
        answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/configpatches/a%2Fb", headers=head)
    assert (answer.status_code, answer.json()["instance"]) == (404, "/api/v1/configpatches/a%2Fb")


def test_a_stream_comes_through_as_it_is_written(served: Served) -> None:
    head = {"Authorization": f"Bearer {served.tokens['reader']}", "Accept": "application/x-ndjson"}
    with (
        before(served) as port,
        httpx.stream("GET", f"http://127.0.0.1:{port}/api/v1/machines", headers=head, timeout=30) as answer,
    ):
        lines = answer.iter_lines()
        assert any("BOOKMARK" in line for line in lines)  # which is not the end of it


def test_thousands_of_slow_clients_hold_nobody_up(served: Served) -> None:
    raise_file_limit()
    with before(served) as port, slow_clients(port, SLOW):
        started = time.monotonic()
        assert {machines(port, served.tokens["reader"]).status_code for _ in range(20)} == {200}
        assert time.monotonic() - started < 30


# The last one: after it, callers at this address that were not known before have to wait.
def test_who_guesses_is_told_by_the_address_that_the_proxy_saw(served: Served) -> None:
    with before(served) as port:
        url = f"http://127.0.0.1:{port}/api/v1/machines"
        statuses = [
            httpx.get(url, headers={"Authorization": "Bearer guess", "X-Forwarded-For": f"192.0.2.{host}"}).status_code
            for host in range(3)
        ]
    assert statuses == [401, 401, 429]  # what the client says of its address is not passed on
