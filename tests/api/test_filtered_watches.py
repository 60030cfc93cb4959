"""A watch tells of what its list would hold: no filter of a list is forgotten when the list is watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from .every_route_world import CLUSTER, World, world_of_everything
from .streams import told
from .test_selecting import filters

pytestmark = pytest.mark.slow

NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]) -> Iterator[World]:
    with world_of_everything(tmp_path_factory.mktemp("watched"), wait_until) as made:
        for collection, body in (
            ("kernel-args", {"id": made.free[0], "args": ["quiet"]}),
            ("infra-machine-configs", {"id": made.free[0], "acceptance_status": "ACCEPTED"}),
            ("extensions-configurations", {"id": "all", "labels": {"omni.sidero.dev/cluster": CLUSTER}}),
        ):
            assert made.ask("POST", collection, body).status_code == 201
        yield made


def start_of(world: World, url: str) -> list[Any]:
    """Return the ids that a watch begins with."""
    answer = world.caller.get(url, headers=NDJSON)
    ids = []
    for event in told(answer):
        if event["type"] == "BOOKMARK":
            break
        assert "object" in event, (url, event)
        ids.append(event["object"]["id"])
    answer.close()
    return ids


def test_a_filter_that_names_nothing_has_nothing_told(world: World) -> None:
    other, asked = {}, 0
    for path, name in filters(world.document):
        if path == "/api/v1/operations":
            continue  # a list that is worked out; its operations are watched one by one
        asked += 1
        assert world.ids(path), path
        for value in ("there-is-none", "naïve"):
            if told := start_of(world, f"{path}?{name}={quote(value)}"):
                other[f"{path}?{name}={value}"] = told
    assert (other, asked > 15) == ({}, True)


@pytest.mark.parametrize(
    "query",
    [
        f"clustermachines?cluster={CLUSTER}",
        f"loadbalancer-configs?cluster={CLUSTER}",
        f"etcdbackups?cluster={CLUSTER}",
        "ongoingtasks?resource=doomed",
        "kernel-args?machine={free}",
        "machines?connected=true",
    ],
)
def test_a_filter_that_names_something_has_that_told(world: World, query: str) -> None:
    url = query.replace("{free}", world.free[0])
    listed = [item["id"] for item in world.ask("GET", url).json()]
    assert sorted(start_of(world, f"/api/v1/{url}")) == sorted(listed) != []
