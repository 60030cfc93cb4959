"""SIGHUP: another Omni key, without a request lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniConfig
from tests.e2e.conftest import Served, omni_environ, start_gateway, stop_gateway

pytestmark = pytest.mark.slow


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "omni.key"


@pytest.fixture
def renewable(omni_config: OmniConfig, tmp_path: Path, key_file: Path) -> Iterator[Served]:
    """A gateway that reads its key from a file."""
    key_file.write_text(omni_config.service_account_key)
    environ = omni_environ(omni_config) | {"OMNI_SERVICE_ACCOUNT_KEY_FILE": str(key_file)}
    del environ["OMNI_SERVICE_ACCOUNT_KEY"]
    running = start_gateway(tmp_path, environ)
    yield running
    stop_gateway(running)


@pytest.fixture
def caller(renewable: Served) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {renewable.tokens['admin']}"}
    with httpx.Client(base_url=f"{renewable.url}/api/v1/", headers=headers, timeout=30) as client:
        yield client


def identity(renewable: Served) -> str:
    """Ask over a connection of its own: one that is kept goes on to the old worker while that ends."""
    headers = {"Authorization": f"Bearer {renewable.tokens['admin']}"}
    answer = httpx.get(f"{renewable.url}/api/v1/auth/whoami", headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["identity"])


def test_a_new_key_is_taken_up_and_no_request_is_lost(
    api: httpx.Client,
    renewable: Served,
    key_file: Path,
    unique: Callable[[str], str],
    made: Callable[[str], str],
    wait_until: Callable[..., Any],
) -> None:
    name = unique("renewed")
    new = api.post("auth/service-accounts", json={"id": name, "role": "Admin"}).json()["key"]
    made(f"auth/service-accounts/{name}")
    seen = [identity(renewable)]
    failed: list[str] = []
    stopped = threading.Event()

    def ask_on() -> None:
        while not stopped.is_set():
            try:
                seen.append(identity(renewable))
            except (AssertionError, httpx.HTTPError) as error:
                failed.append(repr(error))

    asking = threading.Thread(target=ask_on)
    asking.start()
    key_file.write_text(new)
    os.kill(renewable.process.pid, signal.SIGHUP)
    try:
        wait_until(lambda: seen[-1].startswith(name), 30, "the new identity")
    finally:
        stopped.set()
        asking.join(30)

    assert failed == []
    assert not seen[0].startswith(name)


def test_a_key_that_cannot_be_read_changes_nothing_and_is_told(
    renewable: Served, key_file: Path, tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    before = identity(renewable)
    key_file.write_text("damaged")

    os.kill(renewable.process.pid, signal.SIGHUP)

    log = tmp_path / "gateway.log"
    wait_until(lambda: "OMNI_SERVICE_ACCOUNT_KEY_FILE" in log.read_text(), 30, "the line in the log")
    wait_until(lambda: "Worker exiting" in log.read_text(), 60, "a new worker to take the place of the first")
    assert [identity(renewable) for _ in range(10)] == [before] * 10
    assert "damaged" not in log.read_text()
