"""Machines while their parts are not in the cache: read by their ids, with the same answer as from the cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.cache.informer import Informer
from omni_gateway.omni import OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import running_simulator

#: Ten times a page, and more.
MACHINES = 50
PAGE = "/api/v1/machines?page_size=4"
AVAILABLE = f"{PAGE}&label_selector=omni.sidero.dev/available"
DIRECT = {"Cache-Control": "no-cache"}


@pytest.fixture(scope="module")
def large_fleet() -> Iterator[OmniConfig]:
    with running_simulator(fleet=MACHINES) as running:
        yield OmniConfig(endpoint=running.endpoint, service_account_key=running.key)


@pytest.fixture
def client(large_fleet: OmniConfig, settings: Settings, tmp_path: Path, undocumented: None) -> FlaskClient:
    return create_app(replace(settings, omni=large_fleet, state_dir=tmp_path, auth=("off",))).test_client()


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}&page=12", f"{PAGE}&sort=-id", AVAILABLE])
def test_the_answer_is_the_same_as_from_the_cache(
    client: FlaskClient, wait_until: Callable[..., Any], path: str
) -> None:
    def same() -> bool:
        direct, cached = client.get(path, headers=DIRECT), client.get(path)
        assert "hit" not in direct.headers["Cache-Status"]
        assert len(direct.get_json()) >= 2
        hit = cached.headers["Cache-Status"].endswith("hit")
        return hit and (direct.data, direct.headers["ETag"]) == (cached.data, cached.headers["ETag"])

    # Machines report from time to time, perhaps between the two.
    wait_until(same)


def test_a_page_is_answered_while_the_cache_is_filled_and_is_no_hit(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Informer, "start", lambda informer: None)
    monkeypatch.setattr("omni_gateway.cache.informer.SYNC_SECONDS", 0.0)

    answers = [client.get(PAGE) for _ in range(2)]

    assert [len(answer.get_json()) for answer in answers] == [4, 4]
    assert all(machine["hostname"] for machine in answers[0].get_json())
    assert [answer.headers["Cache-Status"] for answer in answers] == [
        "omni-gateway; fwd=uri-miss; detail=no-informer",
        "omni-gateway; fwd=uri-miss; detail=syncing",
    ]
