"""What is answered is what the document says: every GET of a living cluster, held against its schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from omni_gateway.omni import OmniClient
from tests.document import Schemas

from .conftest import Caller

CLUSTER = "answers"
#: Omni denies reads of these types to every role, although the document names them.
READ_BY_NOBODY = {"/api/v1/machine-request-sets/{id}/status"}
#: What some reads cannot do without.
QUERIES = {"/api/v1/auth/can-i": "?resource=clusters&verb=list"}
PATCH = {"id": "answers-patch", "data": "machine:\n  sysctls:\n    vm.swappiness: '1'\n"}


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    return dict(json.loads(app.test_client().get("/openapi.json").data))


@pytest.fixture(scope="module")
def living(
    app: Flask, tokens: dict[str, str], omni: OmniClient, wait_until: Callable[..., Any]
) -> Iterator[dict[str, str]]:
    """A running cluster of two machines with a patch; returns what stands for each variable of a path."""
    api = Caller(app.test_client(), tokens["admin"])
    free = api.get("machines?label_selector=omni.sidero.dev/available&page_size=2").json
    body = {"id": CLUSTER, "control_plane": {"machines": [free[0]["id"]]}, "workers": [{"machines": [free[1]["id"]]}]}
    assert api.post("clusters", json=body).status_code == 201
    labels = {"omni.sidero.dev/cluster": CLUSTER}
    assert api.post("configpatches", json={**PATCH, "labels": labels}).status_code == 201
    wait_until(lambda: api.get(f"operations/cluster-create/{CLUSTER}").json["done"], 30, "the cluster")
    wait_until(
        lambda: api.get(f"clusters/{CLUSTER}/kubernetes-nodes/{free[0]['hostname']}").status_code == 200, 30, "nodes"
    )
    yield {"clusters": CLUSTER, "machines": free[1]["id"], "configpatches": PATCH["id"], "node": free[0]["hostname"]}
    api.delete(f"clusters/{CLUSTER}")
    wait_until(lambda: api.get(f"clusters/{CLUSTER}").status_code == 404, 30, "the cluster's end")


def json_reads(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        content = item.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" in content:
            yield path, content["application/json"]["schema"]


def test_every_read_answers_what_its_schema_says(api: Caller, document: dict[str, Any], living: dict[str, str]) -> None:
    schemas = Schemas(document)
    wrong, right = {}, []
    for path, schema in json_reads(document):
        collection = path.split("/")[3] if path.count("/") > 2 else ""
        url = path.replace("{id}", living.get(collection, CLUSTER)).replace("{node}", living["node"])
        url = url.replace("{kind}", "cluster-create") + QUERIES.get(path, "")
        answer = api.get(url)
        if path in READ_BY_NOBODY:
            assert (answer.status_code, answer.json["code"]) == (403, "omni-forbidden"), path
            continue
        if answer.status_code == 404:
            continue
        errors = schemas.errors(schema, answer.json)
        if answer.status_code != 200 or errors:
            wrong[path] = (answer.status_code, errors[:3])
        right.append(path)
    assert wrong == {}
    assert len(right) >= 30
