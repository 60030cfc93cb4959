"""Clusters as a supplier of Backstage's Kubernetes plugin returns them (`ClusterDetails`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .conftest import Caller
from .discovery_world import MINE, NOW, THEIRS, World, discovery_world

URL = "discovery/backstage"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, wait_until: Callable[..., Any]) -> Iterator[World]:
    with discovery_world(tmp_path_factory.mktemp("backstage"), wait_until) as made:
        yield made


def clusters(caller: Caller, query: str = "") -> dict[str, Any]:
    answer = caller.get(f"{URL}?{query}", headers=NOW)
    assert answer.status_code == 200, answer.text
    return {item["name"]: item for item in answer.json["clusters"]}


def test_a_cluster_has_what_backstage_requires(world: World) -> None:
    found = clusters(world.reader)
    assert sorted(found) == sorted([MINE, THEIRS])
    details = found[MINE]
    kubeconfig = world.admin.get(f"clusters/{MINE}/kubeconfig").text
    assert f"server: {details['url']}\n" in kubeconfig
    assert details["authMetadata"] == {"kubernetes.io/auth-provider": details["authProvider"]}
    assert (details["title"], details["skipTLSVerify"], details["labels"]) == (MINE, False, {"env": "prod"})


def test_backstage_may_log_in_as_its_user(world: World) -> None:
    assert clusters(world.reader, "auth_provider=oidc")[MINE]["authProvider"] == "oidc"


def test_the_query_selects_clusters(world: World) -> None:
    assert list(clusters(world.reader, "label_selector=env=prod&ready=true")) == [MINE]
    assert clusters(world.reader, "ready=false") == {}


def test_a_caller_held_to_a_cluster_gets_that_one(world: World) -> None:
    assert list(clusters(world.held)) == [MINE]


@pytest.mark.parametrize(
    ("query", "code"),
    [("auth_provider=aws", "validation"), ("label_selector=a=(", "bad-selector"), ("cluster=a", "unknown-parameter")],
)
def test_what_cannot_be_meant_is_refused(world: World, query: str, code: str) -> None:
    answer = world.reader.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_an_unchanged_list_is_a_304(world: World) -> None:
    tag = world.reader.get(URL, headers=NOW).headers["ETag"]
    assert world.reader.get(URL, headers={"If-None-Match": tag, **NOW}).status_code == 304


def test_the_answer_has_no_credential(world: World) -> None:
    assert [
        word for word in ("token", "certificate", "client-key", "secret") if word in world.admin.get(URL).text
    ] == []
