"""Tickets of streams with several workers: any of them opens the stream, one of them once, and none logs the ticket."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from omni_gateway.omni import OmniConfig

from .conftest import Served, omni_environ, start_gateway, stop_gateway

pytestmark = pytest.mark.slow

EVENTS = {"Accept": "text/event-stream"}
CLASSES = "/api/v1/machineclasses"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tickets")


@pytest.fixture(scope="module")
def served(omni_config: OmniConfig, state: Path) -> Iterator[Served]:
    """A gateway of two workers that logs all that it can."""
    environ = {"OMNI_GATEWAY_WORKERS": "2", "OMNI_GATEWAY_LOG_LEVEL": "DEBUG"}
    running = start_gateway(state, {**omni_environ(omni_config), **environ}, ["reader"])
    yield running
    if running.process.poll() is None:
        stop_gateway(running)


def tickets(served: Served, count: int) -> list[str]:
    """Return URLs with tickets, each made over a connection of its own."""
    headers = {"Authorization": f"Bearer {served.tokens['reader']}"}
    answers = [
        httpx.post(f"{served.url}/api/v1/stream-tickets", json={"url": CLASSES}, headers=headers, timeout=30)
        for _ in range(count)
    ]
    return [answer.json()["url"] for answer in answers]


def status(url: str) -> int:
    """Return the status that a page is answered over a connection of its own; it leaves a stream at once."""
    with httpx.stream("GET", url, headers=EVENTS, timeout=30) as answer:
        return answer.status_code


def test_of_several_pages_with_one_ticket_one_opens_the_stream(served: Served) -> None:
    urls = [f"{served.url}{url}" for url in tickets(served, 10)]
    with ThreadPoolExecutor(8) as pages:
        statuses = [list(pages.map(status, [url] * 4)) for url in urls]
    assert [sorted(each) for each in statuses] == [[200, 401, 401, 401]] * 10


def test_no_log_and_no_record_has_a_ticket(served: Served, state: Path) -> None:
    urls = tickets(served, 2)
    assert [status(f"{served.url}{urls[0]}") for _ in range(2)] == [200, 401]
    assert status(f"{served.url}{urls[1]}&x={'%'}") == 401
    stop_gateway(served)
    written = b"".join(file.read_bytes() for file in state.rglob("*") if file.is_file())
    assert b"bad-ticket" in written and b"ogw_ticket_" not in written
    # The secret follows the time after which the ticket expires; it may have underscores of its own.
    secrets = [url.partition("ogw_ticket_")[2].partition("_")[2] for url in urls]
    assert all(secrets) and not [secret for secret in secrets if secret.encode() in written]
