"""A token that is for some clusters: what is out of its reach is not there, is not counted and is not written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from omni_gateway.omni import OmniClient
from omni_gateway.settings import Settings
from omni_gateway.store import Store

from .conftest import Caller
from .streams import told

LABEL = "omni.sidero.dev/cluster"
INSIDE, OUTSIDE = "scope-in-a", "scope-out-b"
DATA = 'machine:\n  sysctls:\n    net.core.somaxconn: "4096"\n'


def patch_of(cluster: str, id: str = "") -> dict[str, Any]:
    return {"id": id or f"500-{cluster}", "data": DATA, "labels": {LABEL: cluster}}


@pytest.fixture(scope="module", autouse=True)
def two_clusters(app: Flask, tokens: dict[str, str]) -> Iterator[None]:
    """One within the patterns of ``held`` and one without, each with a patch."""
    admin = Caller(app.test_client(), tokens["admin"])
    for cluster in (INSIDE, OUTSIDE):
        assert admin.post("clusters", json={"id": cluster}).status_code == 201
        assert admin.post("configpatches", json=patch_of(cluster)).status_code == 201
    yield
    for cluster in (INSIDE, OUTSIDE):
        admin.delete(f"clusters/{cluster}")


@pytest.fixture(scope="module")
def token(settings: Settings) -> str:
    return Store(settings.database_url).tokens.create("held", "operator", None, ["scope-in-*"])[1]


@pytest.fixture
def held(app: Flask, token: str) -> Caller:
    return Caller(app.test_client(), token)


def ids(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {item["id"] for item in answer.json}


def test_lists_hold_and_count_what_is_within_reach(held: Caller, api: Caller) -> None:
    answer = held.get("clusters?search=scope-")
    assert ids(answer) == {INSIDE}
    assert json.loads(answer.headers["X-Pagination"])["total"] == 1
    assert ids(api.get("clusters?search=scope-")) == {INSIDE, OUTSIDE}


def test_a_list_of_parts_too_page_by_page(held: Caller, api: Caller) -> None:
    api.post("configpatches", json=patch_of(INSIDE, "600-scope-in-a"))
    pages = [held.get(f"configpatches?page_size=1&page={page}&label_selector={LABEL}") for page in (1, 2)]
    assert [ids(page) for page in pages] == [{f"500-{INSIDE}"}, {"600-scope-in-a"}]


@pytest.mark.parametrize(
    "path",
    [
        f"clusters/{OUTSIDE}",
        f"clusters/{OUTSIDE}/status",
        f"clusters/{OUTSIDE}/machinesets",
        f"clusters/{OUTSIDE}/configpatches",
        f"clusters/{OUTSIDE}/kubeconfig",
        f"clusters/{OUTSIDE}/kubernetes-nodes",
        f"loadbalancer-configs/{OUTSIDE}",
        f"resources/clusters/{OUTSIDE}",
        f"resources/configpatches/500-{OUTSIDE}",
        f"operations/cluster-create/{OUTSIDE}",
    ],
)
def test_what_is_out_of_reach_is_not_there(held: Caller, api: Caller, path: str) -> None:
    answer = held.get(path)
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")
    assert OUTSIDE not in answer.json["detail"].replace(f"'{OUTSIDE}'", "").replace(f"'500-{OUTSIDE}'", "")
    assert api.get(path).status_code == 200


@pytest.mark.parametrize(
    "path", [f"clusters/{INSIDE}", f"clusters/{INSIDE}/status", f"configpatches/500-{INSIDE}", "talosversions"]
)
def test_what_is_within_reach_or_of_no_cluster_can_be_read(held: Caller, path: str) -> None:
    path = "talos-versions" if path == "talosversions" else path
    assert held.get(path).status_code == 200


def test_a_filter_that_names_a_cluster_out_of_reach_finds_nothing(held: Caller) -> None:
    assert ids(held.get(f"configpatches?cluster={OUTSIDE}")) == set()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("post", "clusters", {"id": "scope-out-new"}, 403),
        ("post", "configpatches", {"id": "700-fleet", "data": DATA}, 403),
        ("post", "etcdbackups", {"cluster": OUTSIDE}, 403),
        ("post", "machineclasses/actions/match", {"match_labels": ["omni.sidero.dev/platform = metal"]}, 403),
        ("post", f"clusters/{OUTSIDE}/actions/lock", {}, 404),
        ("post", f"clusters/{OUTSIDE}/actions/destroy", {}, 404),
        ("delete", f"clusters/{OUTSIDE}", None, 404),
        (
            "post",
            "resources/configpatches",
            {"id": "700-mine", "spec": {"data": DATA}, "labels": {LABEL: OUTSIDE}},
            403,
        ),
        ("delete", f"resources/configpatches/500-{OUTSIDE}", None, 404),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_out_of_reach_is_not_written(
    held: Caller, omni: OmniClient, method: str, path: str, body: Any, status: int
) -> None:
    answer = getattr(held, method)(path, **({} if body is None else {"json": body}))
    assert (answer.status_code, answer.json["code"]) == (status, "forbidden" if status == 403 else "not-found")
    known = {item["metadata"]["id"] for item in omni.resources.list("ConfigPatches.omni.sidero.dev").items}
    assert f"500-{OUTSIDE}" in known
    assert not known & {"700-mine", "700-fleet"}
    assert omni.resources.get("Clusters.omni.sidero.dev", OUTSIDE)["metadata"]["phase"] == "running"


def test_an_object_cannot_be_moved_out_of_reach(held: Caller, omni: OmniClient) -> None:
    answer = held.patch(f"configpatches/500-{INSIDE}", json={"labels": {LABEL: OUTSIDE}})
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    kept = omni.resources.get("ConfigPatches.omni.sidero.dev", f"500-{INSIDE}")
    assert kept["metadata"]["labels"][LABEL] == INSIDE


def test_what_is_within_reach_is_written(held: Caller, omni: OmniClient) -> None:
    made = held.post("configpatches", json=patch_of(INSIDE, "800-mine"))
    assert made.status_code == 201
    assert held.patch("configpatches/800-mine", json={"labels": {"a": "b"}}).status_code == 200
    assert held.post(f"clusters/{INSIDE}/actions/lock").status_code == 200
    assert held.post(f"clusters/{INSIDE}/actions/unlock").status_code == 200
    assert held.delete("configpatches/800-mine").status_code == 204


def test_apply_judges_each_document(held: Caller, omni: OmniClient) -> None:
    def document(cluster: str, id: str) -> dict[str, Any]:
        metadata = {"type": "ConfigPatches.omni.sidero.dev", "id": id, "labels": {LABEL: cluster}}
        return {"metadata": metadata, "spec": {"data": DATA}}

    answer = held.post("apply", json=[document(INSIDE, "900-in"), document(OUTSIDE, "900-out")])

    assert answer.status_code == 422
    results = {item["id"]: item for item in answer.json["results"]}
    assert results["900-in"]["action"] == "created"
    assert results["900-out"]["problem"]["code"] == "forbidden"
    known = {item["metadata"]["id"] for item in omni.resources.list("ConfigPatches.omni.sidero.dev").items}
    assert "900-in" in known
    assert "900-out" not in known
    held.delete("configpatches/900-in")


def test_a_watch_tells_what_is_within_reach_only(held: Caller, api: Caller) -> None:
    answer = held.get("clusters", headers={"Accept": "application/x-ndjson"}, buffered=False)
    seen = []
    for event in told(answer):
        if event["type"] == "BOOKMARK":
            break
        seen.append(event["object"]["id"])
    answer.close()
    assert INSIDE in seen
    assert all(id.startswith("scope-in-") for id in seen)


def test_whoami_tells_the_reach(held: Caller) -> None:
    assert held.get("auth/whoami").json["token"]["clusters"] == ["scope-in-*"]
