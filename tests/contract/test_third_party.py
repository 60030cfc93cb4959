"""A third party's package: built, installed, and held to the same contract as the built-in resources."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient
from omni_gateway.settings import Settings

from .conftest import Caller

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
def extended(installed: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNBOOKS_DIR", str(tmp_path_factory.mktemp("runbooks")))
        yield create_app(replace(settings))


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
    assert row == ["runbooks", "omni-gateway-plugin-extras", "0.1.0", "/api/v1/runbooks", ">=1.0,<2", "loaded"]


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
    assert caller.post(f"{collection}?dry_run=true", json=body).json["object"]["id"] == body["id"]
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
