"""A gateway whose PostgreSQL is not there yet, hangs, and goes away."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from omni_gateway.simulator.embedded import RunningSimulator
from tests.e2e.conftest import Served, start_gateway, stop_gateway

from .postgres import PostgreSQL, binaries, running_postgresql

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

STORE_SECONDS = 1.0
#: Of a machine that has other things to do.
SLACK = 10.0
DATABASE = "postgres"  # the one that every server has from the start
TOKEN = "b" * 40


@pytest.fixture(scope="module")
def own() -> Iterator[PostgreSQL]:
    """A server of this module's own, not started yet."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is missing: `make services` installs it")
    with running_postgresql(programs, started=False) as server:
        yield server


@pytest.fixture(scope="module")
def environ(own: PostgreSQL, simulator: RunningSimulator) -> dict[str, str]:
    return {
        "OMNI_ENDPOINT": simulator.endpoint,
        "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
        "OMNI_GATEWAY_STORE_URL": own.url(DATABASE),
        "OMNI_GATEWAY_STORE_TIMEOUT": str(STORE_SECONDS),
        "OMNI_GATEWAY_BOOTSTRAP_TOKEN": TOKEN,
    }


@pytest.fixture(scope="module")
def served(
    own: PostgreSQL, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]
) -> Iterator[Served]:
    """A gateway that was started before its database."""
    folder = tmp_path_factory.mktemp("gateway")
    started: list[Served] = []
    thread = threading.Thread(target=lambda: started.append(start_gateway(folder, environ, [])))
    thread.start()
    log = folder / "gateway.log"
    wait_until(lambda: log.exists() and "The start waits for it" in log.read_text(), 60, "the start to wait")
    own.start()
    thread.join(90)
    assert len(started) == 1
    yield started[0]
    stop_gateway(started[0])


@pytest.fixture
def api(served: Served, own: PostgreSQL, wait_until: Callable[..., Any]) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=served.url, headers=headers, timeout=30) as client:
        wait_until(lambda: client.get("/api/v1/auth/tokens").status_code == 200, 30, "the store to be back")
        yield client


def timed(call: Callable[[], httpx.Response]) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    return call(), time.monotonic() - began


def test_the_start_waits_for_a_database_that_is_not_there_yet(api: httpx.Client) -> None:
    assert api.get("/api/v1/auth/whoami").json()["role"] == "Admin"


def test_a_start_that_has_waited_long_enough_ends_with_one_line(environ: dict[str, str], tmp_path: Path) -> None:
    nowhere = environ["OMNI_GATEWAY_STORE_URL"].replace("host=", "host=/nonexistent")
    changed = {"OMNI_GATEWAY_STORE_URL": nowhere, "OMNI_GATEWAY_STORE_START_TIMEOUT": "0.5"}
    with pytest.raises((RuntimeError, subprocess.CalledProcessError)):
        start_gateway(tmp_path, environ | changed, [])
    log = (tmp_path / "gateway.log").read_text()
    # The latter on a machine that is too slow to find out within the deadline.
    ends = ("Error: The store cannot be reached.", "Error: The store does not answer in time.")
    named = " It is the one of OMNI_GATEWAY_STORE_URL."
    assert log.splitlines()[-1] in [end + named for end in ends]
    assert "Traceback" not in log


def test_a_server_that_hangs_holds_nothing_up(
    api: httpx.Client, own: PostgreSQL, served: Served, wait_until: Callable[..., Any]
) -> None:
    stranger = {"Authorization": "Bearer ogw_unknown"}
    own.pause()
    try:
        known, known_seconds = timed(lambda: api.get("/api/v1/machines?page_size=1"))
        unknown, unknown_seconds = timed(lambda: api.get("/api/v1/machines", headers=stranger))
        written, written_seconds = timed(lambda: api.post("/api/v1/auth/tokens", json={"name": "n"}))
        alive, alive_seconds = timed(lambda: api.get("/livez"))
        wait_until(lambda: api.get("/readyz").json()["checks"]["store"]["status"] == "unavailable", what="the check")
        again = [timed(lambda: api.post("/api/v1/auth/tokens", json={"name": "n"}))[1] for _ in range(5)]
    finally:
        own.resume()
    assert (known.status_code, alive.status_code) == (200, 200)
    assert [answer.json()["code"] for answer in (unknown, written)] == ["store-unavailable"] * 2
    assert max(known_seconds, unknown_seconds, written_seconds) < STORE_SECONDS + 1 + SLACK
    assert alive_seconds < SLACK
    assert min(again) < STORE_SECONDS / 2  # calls are not made while others time out
    wait_until(lambda: api.post("/api/v1/auth/tokens", json={"name": "n"}).status_code == 201, what="writes again")


def test_a_server_that_is_gone_is_503_and_one_line(
    api: httpx.Client, own: PostgreSQL, served: Served, wait_until: Callable[..., Any]
) -> None:
    assert api.get("/api/v1/machines?page_size=1").status_code == 200
    own.stop()
    try:
        answers = [api.get("/api/v1/auth/tokens") for _ in range(20)]
        known = api.get("/api/v1/machines?page_size=1")
    finally:
        own.start()
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(503, "store-unavailable")}
    assert known.status_code == 200
    wait_until(lambda: api.get("/api/v1/auth/tokens").status_code == 200, what="the store to be back")
    wait_until(lambda: api.get("/readyz").json()["checks"]["store"]["status"] == "ok", what="the check to pass")


def test_outages_leave_no_traceback_in_the_log(api: httpx.Client, own: PostgreSQL, served: Served) -> None:
    assert served.log is not None
    text = served.log.read_text()
    assert "Traceback" not in text
    assert "the store cannot be read" in text
