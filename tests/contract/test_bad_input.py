"""The same bad input for every route: strange ids, labels beyond Omni's limits, filters that name nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from flask import Flask

from .conftest import Caller
from .streams import told
from .test_every_route import READ_BY_NOBODY, routes

IDS = {
    "slash": "a/b",
    "two slashes": "a//b",
    "space": "a b",
    "percent": "50%",
    "escaped slash": "a%2Fb",
    "1025 bytes": "x" * 1025,
    "unicode": "naïve-日本-😀",
    "dots": "..",
    "query": "a?b#c;d",
    "backslash": "a\\b",
    "control characters": "a\n\0b",
}
#: Neither is an id in Omni's sense.
NO_IDS = {"1025 bytes": "x" * 1025, "1026 bytes": "é" * 513, "control characters": "a\nb", "empty": ""}
LABELS = {
    "too many": {f"k{number}": "" for number in range(257)},
    "key of 1025 bytes": {"k" * 1025: ""},
    "key of 1026 bytes": {"é" * 513: ""},
    "value of 16385 bytes": {"k": "v" * 16385},
    "value of 16386 bytes": {"k": "é" * 8193},
    "empty key": {"": "v"},
    "control character": {"k": "a\nb"},
    "number": {"k": 1},
    "null": {"k": None},
    "list": ["k"],
}


PATCH = "machine:\n  sysctls:\n    vm.swappiness: '7'\n"


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    return dict(json.loads(app.test_client().get("/openapi.json").data))


def sent(operation: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Return what a request carries: the document's example, changed."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        if "json" in media:
            return {"data": json.dumps(change(content.get("example", {}))), "content_type": media}
    return {}


def takes(document: dict[str, Any], operation: dict[str, Any], name: str) -> bool:
    """Whether a body has a member of this name."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    found = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = document["components"]["schemas"].get(found, {})
    return name in schema.get("properties", {}) and not schema["properties"][name].get("readOnly")


@pytest.mark.parametrize("id", IDS.values(), ids=IDS)
def test_strange_ids_name_nothing_and_break_nothing(document: dict[str, Any], api: Caller, id: str) -> None:
    other = {}
    for method, path, operation in routes(document):
        if "{id}" not in path:
            continue
        escaped = quote(id, safe="").replace("..", "%2E%2E")
        url = path.replace("{id}", escaped).replace("{node}", escaped)
        url = url.replace("{type}", "Clusters").replace("{kind}", "cluster-create")
        said = sent(operation, lambda example: {**example, "id": id} if "id" in example else example)
        answer = getattr(api, method)(url, **said)
        problem = answer.json if answer.mimetype == "application/problem+json" else {}
        # A body may be refused before the object is looked for; a read, a removal are refused for the id alone.
        allowed = {("not-found", 404)} | ({("validation", 422)} if said else set())
        if (problem.get("code"), answer.status_code) not in allowed:
            other[f"{method.upper()} {path}"] = (answer.status_code, answer.text[:200])
    assert {name: answer for name, answer in other.items() if name != READ_BY_NOBODY} == {}


@pytest.mark.parametrize("id", NO_IDS.values(), ids=NO_IDS)
def test_what_can_be_no_id_is_refused_by_name_on_every_create(document: dict[str, Any], api: Caller, id: str) -> None:
    other, asked = {}, 0
    for method, path, operation in routes(document):
        if method != "post" or "/actions/" in path or not takes(document, operation, "id"):
            continue
        asked += 1
        said = sent(operation, lambda example: {**example, "id": id})
        answer = api.post(path.replace("{type}", "MachineClasses"), **said)
        if answer.status_code != 422 or "id" not in answer.json.get("errors", {}):
            other[path] = (answer.status_code, answer.text[:200])
    assert (other, asked > 15) == ({}, True)


@pytest.mark.parametrize("member", ["labels", "annotations"])
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_beyond_omnis_limits_are_refused_by_name_on_every_write(
    document: dict[str, Any], api: Caller, labels: Any, member: str
) -> None:
    other, asked = {}, 0
    for method, path, operation in routes(document):
        if method not in ("post", "put") or not takes(document, operation, member):
            continue
        asked += 1
        url = path.replace("{id}", "there-is-none").replace("{type}", "MachineClasses")
        answer = getattr(api, method)(url, **sent(operation, lambda example: {**example, member: labels}))
        if answer.status_code != 422 or not any(name.startswith(member) for name in answer.json.get("errors", {})):
            other[f"{method.upper()} {path}"] = (answer.status_code, answer.text[:200])
    assert (other, asked > 30) == ({}, True)


def filters(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    common = {"page", "page_size", "label_selector", "search", "sort", "fields"}
    for method, path, operation in routes(document):
        names = {item["name"] for item in operation.get("parameters", []) if item.get("in") == "query"}
        if path == "/api/v1/audit":
            continue  # it records what these very tests ask for; test_audit has its filters
        if method == "get" and "page_size" in names and "{" not in path:
            yield from ((path, name) for name in sorted(names - common) if name not in ("connected", "kind"))


@pytest.mark.parametrize("value", ["there-is-none", "a/b", "50%", "naïve-日本", "x" * 1024], ids=lambda text: text[:12])
def test_a_filter_that_names_nothing_is_an_empty_list(document: dict[str, Any], api: Caller, value: str) -> None:
    other, asked = {}, 0
    for path, name in filters(document):
        asked += 1
        answer = api.get(path, query_string={name: value})
        if (answer.status_code, answer.json) != (200, []):
            other[f"{path}?{name}"] = (answer.status_code, answer.text[:200])
    assert (other, asked > 15) == ({}, True)


def test_a_label_selector_may_name_what_no_header_can_carry(api: Caller) -> None:
    id = f"unicode-{uuid4().hex[:6]}"
    body = {"id": id, "match_labels": ["a = b"], "labels": {"team": "Zürich"}}
    assert api.post("machineclasses", json=body).status_code == 201
    for selector, found in (("team=Zürich", [id]), ("team in (Zürich,x)", [id]), ("team=Genève", [])):
        listed = api.get("machineclasses", query_string={"label_selector": selector})
        assert [item["id"] for item in listed.json] == found
        assert json.loads(listed.headers["X-Pagination"])["total"] == len(found)
    watched = api.get(
        "machineclasses",
        query_string={"label_selector": "team=Zürich"},
        headers={"Accept": "application/x-ndjson"},
    )
    events = [event for _, event in zip(range(2), told(watched), strict=False)]
    watched.close()
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK"]
    assert events[0]["object"]["id"] == id
    api.delete(f"machineclasses/{id}")


@pytest.fixture
def unicode_cluster(api: Caller) -> Iterator[str]:
    """A cluster whose name no header can carry, with a machine set and a patch of its own."""
    name = f"größe-{uuid4().hex[:6]}"
    labels = {"omni.sidero.dev/cluster": name}
    workers = {**labels, "omni.sidero.dev/role-worker": ""}
    assert api.post("clusters", json={"id": name}).status_code == 201
    assert api.post("machinesets", json={"id": f"{name}-workers", "labels": workers}).status_code == 201
    assert api.post("configpatches", json={"id": f"{name}-patch", "labels": labels, "data": PATCH}).status_code == 201
    yield name
    api.delete(f"clusters/{quote(name)}")


def test_a_cluster_whose_name_is_not_ascii_has_all_its_lists(api: Caller, unicode_cluster: str) -> None:
    url = f"clusters/{quote(unicode_cluster)}"
    assert [item["id"] for item in api.get(f"{url}/machinesets").json] == [f"{unicode_cluster}-workers"]
    assert [item["id"] for item in api.get(f"{url}/configpatches").json] == [f"{unicode_cluster}-patch"]
    for below in ("machines", "etcdbackups", "kubernetes-nodes"):
        assert (api.get(f"{url}/{below}").status_code, below) == (200, below)
    assert api.get("etcdbackups").status_code == 200


@pytest.mark.parametrize("ttl", ["99999999999999h", "9" * 39 + "s"])
def test_a_life_longer_than_time_is_refused(api: Caller, ttl: str) -> None:
    token = api.post("auth/tokens", json={"name": "eternal", "role": "reader", "ttl": ttl})
    assert (token.status_code, list(token.json["errors"])) == (422, ["ttl"])
    kubeconfig = api.get(f"clusters/any/kubeconfig?service_account=true&user=a&ttl={ttl}")
    assert (kubeconfig.status_code, list(kubeconfig.json["errors"])) == (422, ["ttl"])
