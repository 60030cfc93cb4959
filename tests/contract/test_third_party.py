"""A third party's package: built, installed, and held to the same contract as the built-in resources."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from tests.e2e.conftest import start_gateway, stop_gateway

from .conftest import Caller

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parents[2] / "examples" / "omni-gateway-plugin-extras"
MACHINE = "00000000-0000-4000-8000-00000000abcd"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example's package, built into a wheel and installed where only this test looks."""
    target, source = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("source") / "package"
    subprocess.run(["cp", "-r", str(PACKAGE), str(source)], check=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*command, str(target), str(source)], check=True)
    sys.path.insert(0, str(target))
    importlib.invalidate_caches()
    yield target
    sys.path.remove(str(target))
    for name in [name for name in sys.modules if name.startswith("omni_gateway_extras")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def extended(installed: Path, settings: Settings) -> Flask:
    return create_app(replace(settings))


@pytest.fixture
def caller(extended: Flask, tokens: dict[str, str]) -> Caller:
    return Caller(extended.test_client(), tokens["admin"])


def test_its_routes_are_in_the_document_with_tags_and_schemas(extended: Flask) -> None:
    document = json.loads(extended.test_client().get("/openapi.json").data)
    assert {"/api/v1/runbooks", "/api/v1/runbooks/{id}", "/api/v1/grpc-tunnel-configs"} <= set(document["paths"])
    assert {"Runbook", "GRPCTunnelConfig"} <= set(document["components"]["schemas"])


def test_the_plugins_command_lists_it_with_its_distribution(installed: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(installed)}
    answer = subprocess.run(
        [sys.executable, "-m", "omni_gateway.cli", "plugins"], env=env, capture_output=True, check=True
    )
    row = next(line.split() for line in answer.stdout.decode().splitlines() if line.startswith("runbooks"))
    assert row == ["runbooks", "omni-gateway-plugin-extras", "0.1.0", "/api/v1/runbooks", ">=2.0,<3", "loaded"]


@pytest.mark.parametrize(
    ("collection", "body", "patch"),
    [
        ("grpc-tunnel-configs", {"id": MACHINE, "enabled": True}, {"enabled": False}),
        ("runbooks", {"id": "etcd full", "title": "etcd is full", "steps": ["defragment"]}, {"steps": ["grow"]}),
    ],
)
def test_its_objects_live_through_the_whole_contract(
    caller: Caller, collection: str, body: dict[str, Any], patch: dict[str, Any]
) -> None:
    """One object's life: the steps depend on each other, so they are one test."""
    url = f"{collection}/{body['id']}"
    assert caller.post(f"{collection}?dry_run=true", json=body).json["id"] == body["id"]
    assert caller.get(url).status_code == 404

    made = caller.post(collection, json={**body, "labels": {"team": "a"}})
    assert (made.status_code, made.headers["Location"]) == (
        201,
        f"/api/v1/{collection}/{body['id'].replace(' ', '%20')}",
    )
    assert caller.post(collection, json=body).status_code == 409
    assert caller.post(collection, json={**body, "nonsense": 1}).status_code == 422

    read = caller.get(url)
    assert {name: read.json[name] for name in body} == body
    assert caller.get(url, headers={"If-None-Match": read.headers["ETag"]}).status_code == 304
    assert [item["id"] for item in caller.get(f"{collection}?label_selector=team%3Da").json] == [body["id"]]
    assert caller.get(f"{collection}?label_selector=team%3Db").json == []

    changed = caller.patch(url, json=patch)
    assert {name: changed.json[name] for name in patch} == patch
    assert caller.put(url, json=body, headers={"If-Match": read.headers["ETag"]}).status_code == 412
    assert caller.put(url, json=body).json["labels"] == {}
    assert caller.delete(url).status_code == 204
    assert caller.get(url).status_code == 404


def test_a_back_end_of_its_own_can_be_watched_too(caller: Caller) -> None:
    caller.post("runbooks", json={"id": "watched", "title": "x"})
    answer = caller.get("runbooks", headers={"Accept": "application/x-ndjson"}, buffered=False)
    lines = (json.loads(line) for chunk in answer.iter_encoded() for line in chunk.splitlines())
    assert next(lines)["object"]["id"] == "watched"
    assert next(lines)["type"] == "BOOKMARK"
    caller.patch("runbooks/watched", json={"title": "y"})
    event = next(line for line in lines if line["type"] != "HEARTBEAT")
    assert (event["type"], event["object"]["title"]) == ("MODIFIED", "y")
    answer.close()


def test_an_omni_type_is_really_in_omni(caller: Caller, omni: OmniClient) -> None:
    caller.post("grpc-tunnel-configs", json={"id": f"{MACHINE}1", "enabled": True})
    assert omni.resources.get("GRPCTunnelConfigs.omni.sidero.dev", f"{MACHINE}1")["spec"] == {"enabled": True}


THREADS = 16


@pytest.fixture(scope="module")
def two_workers(
    installed: Path, simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """An operator's client of a gateway with the example's package and two worker processes."""
    environ = {
        "OMNI_ENDPOINT": simulator.endpoint,
        "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
        "OMNI_GATEWAY_WORKERS": "2",
        "PYTHONPATH": str(installed),
    }
    served = start_gateway(tmp_path_factory.mktemp("extended"), environ, ["operator"])
    headers = {"Authorization": f"Bearer {served.tokens['operator']}"}
    limits = httpx.Limits(max_keepalive_connections=0)  # a new connection each time, so both workers are asked
    with httpx.Client(base_url=f"{served.url}/api/v1/", headers=headers, timeout=60, limits=limits) as client:
        yield client
    stop_gateway(served)


def at_once(ask: Callable[[int], httpx.Response]) -> list[int]:
    """Return the statuses of sixteen requests that are sent at once, sorted."""
    barrier = Barrier(THREADS)

    def wait_and_ask(number: int) -> int:
        barrier.wait(30)
        return ask(number).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        return sorted(pool.map(wait_and_ask, range(THREADS)))


def test_of_sixteen_who_make_one_id_at_once_one_has_made_it(two_workers: httpx.Client) -> None:
    for round in range(5):
        body = {"id": f"once-{round}", "title": "once"}
        told = at_once(lambda number, body=body: two_workers.post("runbooks", json={**body, "title": f"by {number}"}))
        assert told == [201] + [409] * (THREADS - 1)
        assert two_workers.get(f"runbooks/once-{round}").json()["title"].startswith("by ")
    assert [item["id"] for item in two_workers.get("runbooks?search=once").json()] == [f"once-{n}" for n in range(5)]


def test_of_sixteen_changes_at_once_none_is_lost(two_workers: httpx.Client) -> None:
    two_workers.post("runbooks", json={"id": "changed", "title": "x"})
    done: list[int] = []

    def change(number: int) -> httpx.Response:
        answer = two_workers.patch("runbooks/changed", json={"labels": {f"by-{number}": "x"}})
        if answer.status_code == 200:
            done.append(number)
        return answer

    assert set(at_once(change)) <= {200, 409}  # 409: others came between, again and again; it is not done then
    labels = two_workers.get("runbooks/changed").json()["labels"]
    assert done
    assert labels.keys() == {f"by-{number}" for number in done}


def test_of_sixteen_who_remove_it_at_once_one_has_removed_it(two_workers: httpx.Client) -> None:
    two_workers.post("runbooks", json={"id": "removed", "title": "x"})
    told = at_once(lambda number: two_workers.delete("runbooks/removed"))
    assert told.count(204) >= 1
    assert set(told) <= {204, 404, 409}
    assert two_workers.get("runbooks/removed").status_code == 404
