"""Bad input over each kind of store: strange ids, labels beyond Omni's limits, texts that no store keeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.rest.gateway import EXTENSION, Gateway
from omni_gateway.settings import Settings
from tests.services.postgres import PostgreSQL

from .conftest import Caller
from .routes import Route, beyond_the_kit, routes
from .streams import told

pytestmark = pytest.mark.slow

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
    "list": ["k"],
}


#: Routes of objects that the gateway's store holds; there the conformance classes see SQLite only.
OWN_ROUTES = ("/api/v1/auth/tokens", "/api/v1/oidc/", "/api/v1/audit", "/api/v1/operations")

PATCH = "machine:\n  sysctls:\n    vm.swappiness: '7'\n"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store: they do not refuse the same texts and numbers."""
    return str(request.param)


@pytest.fixture(scope="module")
def app(request: pytest.FixtureRequest, kind: str, settings: Settings, app: Flask) -> Flask:
    """The application over a kind of store."""
    if kind == "sqlite":
        return app
    postgresql: PostgreSQL = request.getfixturevalue("postgresql")
    return create_app(replace(settings, store_url=postgresql.create("bad_input")))


@pytest.fixture(scope="module")
def api(app: Flask) -> Caller:
    gateway: Gateway = app.extensions[EXTENSION]
    return Caller(app.test_client(), gateway.store.tokens.create("bad-input", "admin", None)[1])


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    return dict(json.loads(app.test_client().get("/openapi.json").data))


@pytest.fixture(scope="module")
def asked_routes(document: dict[str, Any], kind: str) -> list[Route]:
    """The routes that are asked of this application: those that no conformance class asks of such a store."""
    if kind == "sqlite":
        return beyond_the_kit(document)
    return [route for route in routes(document) if route[1].startswith(OWN_ROUTES)]


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
def test_strange_ids_name_nothing_and_break_nothing(asked_routes: list[Route], api: Caller, id: str) -> None:
    other = {}
    for method, path, operation in asked_routes:
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
    assert other == {}


@pytest.mark.parametrize("id", NO_IDS.values(), ids=NO_IDS)
def test_what_can_be_no_id_is_refused_by_name_on_every_create(
    document: dict[str, Any], asked_routes: list[Route], api: Caller, id: str
) -> None:
    other, asked = {}, 0
    for method, path, operation in asked_routes:
        if method != "post" or "/actions/" in path or not takes(document, operation, "id"):
            continue
        asked += 1
        said = sent(operation, lambda example: {**example, "id": id})
        answer = api.post(path.replace("{type}", "MachineClasses"), **said)
        if answer.status_code != 422 or "id" not in answer.json.get("errors", {}):
            other[path] = (answer.status_code, answer.text[:200])
    assert (other, asked > 0) == ({}, True)


@pytest.mark.parametrize("pairs", LABELS.values(), ids=LABELS)
def test_labels_beyond_omnis_limits_are_refused_by_name_on_every_write(
    document: dict[str, Any], asked_routes: list[Route], api: Caller, pairs: Any
) -> None:
    other, asked = {}, 0
    for method, path, operation in asked_routes:
        members = [name for name in ("labels", "annotations") if takes(document, operation, name)]
        if method not in ("post", "put") or not members:
            continue
        asked += 1
        url = path.replace("{id}", "there-is-none").replace("{type}", "MachineClasses")
        said = sent(operation, lambda example, members=members: {**example, **dict.fromkeys(members, pairs)})
        answer = getattr(api, method)(url, **said)
        named = [each for each in members if any(name.startswith(each) for name in answer.json.get("errors", {}))]
        if (answer.status_code, named) != (422, members):
            other[f"{method.upper()} {path}"] = (answer.status_code, answer.text[:200])
    assert (other, asked > 0) == ({}, True)


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


STORED = {
    "auth/tokens": {"name": "n", "role": "reader", "clusters": ["a-*"]},
    "oidc/providers": {
        "id": "nul",
        "name": "n",
        "issuer_url": "https://login.example.com",
        "client_id": "c",
        "role_mapping": {"a": "reader"},
    },
}


@pytest.mark.parametrize("dry_run", ["false", "true"])
@pytest.mark.parametrize("url", STORED)
def test_a_nul_in_what_the_store_would_keep_is_refused_by_name(api: Caller, url: str, dry_run: str) -> None:
    other = {}
    for member, value in STORED[url].items():
        if member == "role":
            continue
        with_nul = {list: ["a\0b"], dict: {"a\0b": "reader"}}.get(type(value), "a\0b")
        answer = api.post(f"{url}?dry_run={dry_run}", json={**STORED[url], member: with_nul})
        if answer.status_code != 422 or not any(name.startswith(member) for name in answer.json.get("errors", {})):
            other[member] = (answer.status_code, answer.text[:200])
    assert other == {}


@pytest.mark.parametrize("text", ["a\0b", "\0", "\ufffd", "a\ud800b".encode("utf-8", "surrogatepass")], ids=repr)
@pytest.mark.parametrize(
    "name", ["who", "caller_id", "resource", "object_id", "cluster", "code", "request_id", "search"]
)
def test_an_audit_filter_that_can_match_nothing_is_an_empty_list(api: Caller, name: str, text: str | bytes) -> None:
    answer = api.get("audit", query_string=f"{name}={quote(text)}")
    assert (answer.status_code, answer.json) == (200, [])


@pytest.mark.parametrize("url", ["audit", "auth/tokens", "oidc/providers"])
@pytest.mark.parametrize("page", [10**9, 10**17, 2**63, 10**30])
def test_a_page_beyond_all_numbers_is_empty_or_refused(api: Caller, url: str, page: int) -> None:
    answer = api.get(f"{url}?page={page}&page_size=1000")
    assert answer.status_code in (200, 422), answer.text
    assert answer.status_code == 422 or answer.json == []


#: Bytes as a client may send them, read as Latin-1 (WSGI).
HEADERS = {"nul": "a\0b", "latin-1": "\xe9\xff", "half of a surrogate pair": "\xed\xa0\x80", "long": "x" * 10_000}


@pytest.mark.parametrize("value", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("refused_for", ["IDEMPOTENCY_KEY", "IF_MATCH", ""])
def test_what_a_header_holds_breaks_nothing_that_is_kept(
    api: Caller, refused_for: str, value: str, wait_until: Callable[..., Any]
) -> None:
    # Those that are kept of every request, and one of those for which it may be refused.
    headers = {f"HTTP_{name}": value for name in ("USER_AGENT", "X_REQUEST_ID", "X_FORWARDED_FOR", refused_for) if name}
    answer = api.post("auth/tokens", json={"name": ""}, environ_overrides=headers)
    assert 400 <= answer.status_code < 500, answer.text
    id = answer.headers["X-Request-ID"]
    wait_until(lambda: api.get(f"audit?request_id={id}").json, what="the audit entry")


@pytest.mark.parametrize("path", ["oidc/providers/%00", "auth/tokens/a%00b", "audit/%00", "oidc/providers/%ED%A0%80"])
def test_no_object_of_the_store_has_an_id_that_cannot_be_stored(api: Caller, path: str) -> None:
    answers = [api.get(path), api.delete(path)] if path.startswith(("oidc", "auth")) else [api.get(path)]
    assert {answer.status_code for answer in answers} == {404}
