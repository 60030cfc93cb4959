"""Who waits for an operation holds a thread, so waits are as few as streams; one too many is answered at once."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from omni_gateway.app import create_app
from omni_gateway.settings import Settings

from .conftest import Caller

WAIT = "wait=40s"


@pytest.fixture
def caller(settings: Settings, tokens: dict[str, str], undocumented: None) -> Caller:
    return Caller(create_app(replace(settings, max_streams_per_caller=1)).test_client(), tokens["reader"])


def never_done(caller: Caller) -> str:
    """Return an operation that goes on: a free machine moving to a version that there is not."""
    free = caller.get("machines?label_selector=omni.sidero.dev/available").json[0]["id"]
    return f"operations/machine-maintenance/{free}~0.0.1"


def test_no_more_wait_than_may_stream(caller: Caller) -> None:
    path = never_done(caller)
    watch = caller.get("machines", headers={"Accept": "application/x-ndjson"}, buffered=False)
    began = time.monotonic()
    answer = caller.get(f"{path}?{WAIT}")
    took = time.monotonic() - began
    watch.close()
    assert (answer.status_code, answer.json["done"], "Retry-After" in answer.headers) == (200, False, True)
    assert took < 20


def test_a_wait_gives_its_place_back(caller: Caller) -> None:
    path = never_done(caller)
    for _ in range(2):
        began = time.monotonic()
        assert caller.get(f"{path}?wait=1s").status_code == 200
        assert time.monotonic() - began >= 1
    watch = caller.get("machines", headers={"Accept": "application/x-ndjson"}, buffered=False)
    assert watch.status_code == 200
    watch.close()
