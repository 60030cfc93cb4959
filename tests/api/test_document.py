"""How the document is served: forms, roles, codings, caches."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

import brotli
import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

ROLES = {"reader": {"reader"}, "operator": {"reader", "operator"}, "admin": {"reader", "operator", "admin"}}
METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get("/openapi.json").json)


def operations(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(references, node))
    if isinstance(node, dict):
        here = {value for value in node.values() if isinstance(value, str) and value.startswith("#/components/")}
        return here.union(*map(references, node.values()))
    return set()


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("", None),
        ("br", "br"),
        ("gzip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("identity, br;q=0.5", None),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("deflate", None),
        ("br;q=0, gzip;q=0", None),
    ],
)
def test_the_document_comes_in_the_coding_that_the_caller_prefers(
    client: FlaskClient, document: dict[str, Any], accepted: str | None, coding: str | None
) -> None:
    answer = client.get("/openapi.json", headers={} if accepted is None else {"Accept-Encoding": accepted})
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, coding)
    assert answer.headers["Vary"] == "Accept-Encoding"
    decoded = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding](answer.data)
    assert json.loads(decoded) == document


@pytest.mark.parametrize("accepted", ["identity;q=0", "*;q=0", "deflate, *;q=0"])
def test_a_caller_that_takes_no_coding_there_is_gets_406(client: FlaskClient, accepted: str) -> None:
    answer = client.get("/openapi.json", headers={"Accept-Encoding": accepted})
    assert (answer.status_code, answer.json["code"]) == (406, "not-acceptable")


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi.yaml", "/openapi.json?role=reader"])
@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_each_coding_is_revalidated_by_its_own_tag(client: FlaskClient, path: str, coding: str) -> None:
    head = {"Accept-Encoding": coding}
    first = client.get(path, headers=head)
    again = client.get(path, headers={**head, "If-None-Match": first.headers["ETag"]})
    of_another = client.get(path, headers={**head, "If-None-Match": '"other-br", W/"other"'})
    assert (again.status_code, again.data, of_another.status_code) == (304, b"", 200)
    assert {name: again.headers[name] for name in ("ETag", "Vary", "Cache-Control", "Content-Location")} == {
        name: first.headers[name] for name in ("ETag", "Vary", "Cache-Control", "Content-Location")
    }


def test_the_tags_of_all_codings_and_forms_differ(client: FlaskClient) -> None:
    tags = [
        client.head(path, headers={"Accept-Encoding": coding}).headers["ETag"]
        for path in ("/openapi.json", "/openapi.yaml", "/openapi.json?role=reader")
        for coding in ("br", "gzip", "identity")
    ]
    assert len(set(tags)) == len(tags)


def test_head_has_the_length_and_no_body(client: FlaskClient) -> None:
    answer = client.head("/openapi.json", headers={"Accept-Encoding": "br"})
    whole = client.get("/openapi.json", headers={"Accept-Encoding": "br"})
    assert (answer.data, answer.headers["Content-Length"]) == (b"", str(len(whole.data)))


def test_yaml_says_the_same(client: FlaskClient, document: dict[str, Any]) -> None:
    answer = client.get("/openapi.yaml")
    assert answer.mimetype == "application/yaml"
    assert yaml.load(answer.data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) == document


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi.yaml", "/openapi.json?role=operator"])
def test_the_url_with_the_release_in_it_may_be_cached_for_ever(client: FlaskClient, path: str) -> None:
    current = client.get(path)
    named = client.get(current.headers["Content-Location"])
    assert (named.status_code, named.data) == (200, current.data)
    assert "immutable" in named.headers["Cache-Control"]
    assert current.headers["Cache-Control"] == "no-cache"


def test_a_release_that_this_gateway_is_not_is_404(client: FlaskClient) -> None:
    answer = client.get("/openapi-0.0.1-0123456789abcdef.json")
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/openapi.json", "/openapi.yaml", "/openapi-1-2.json", "/problems", "/problems/gone"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_is_only_read(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.json["code"]) == (405, "method-not-allowed")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("role=root", "validation"),
        ("role=", "validation"),
        ("tag=cluster", "validation"),
        ("tag=", "validation"),
        ("rule=reader", "unknown-parameter"),
    ],
)
@pytest.mark.parametrize("path", ["/openapi.json", "/openapi.yaml", "/docs"])
def test_a_role_or_tag_that_there_is_not_is_refused(client: FlaskClient, path: str, query: str, code: str) -> None:
    answer = client.get(f"{path}?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, code)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_the_operations_that_it_may_call(client: FlaskClient, document: dict[str, Any], role: str) -> None:
    told = operations(client.get(f"/openapi.json?role={role}").json)
    wanted = {name for name, item in operations(document).items() if item["x-required-role"] in ROLES[role]}
    assert set(told) == wanted
    assert len(wanted) > 50


def test_a_tag_selects_its_operations(client: FlaskClient, document: dict[str, Any]) -> None:
    told = operations(client.get("/openapi.json?tag=clusters&role=reader").json)
    wanted = {
        name
        for name, item in operations(document).items()
        if "clusters" in item["tags"] and item["x-required-role"] == "reader"
    }
    assert set(told) == wanted
    assert len(wanted) > 5


@pytest.mark.parametrize("query", ["role=reader", "tag=clusters", "role=operator&tag=machines"])
def test_a_part_of_the_document_has_no_loose_ends(client: FlaskClient, query: str) -> None:
    told = client.get(f"/openapi.json?{query}").json
    defined = {
        f"#/components/{section}/{name}"
        for section, parts in told["components"].items()
        for name in parts
        if section != "securitySchemes"
    }
    ids = {operation["operationId"] for operation in operations(told).values()}
    links = [
        link["operationId"]
        for operation in operations(told).values()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    tags = {tag for operation in operations(told).values() for tag in operation["tags"]}
    assert references(told) == defined
    assert links
    assert set(links) <= ids
    assert {tag["name"] for tag in told["tags"]} == tags


def test_a_part_of_the_document_is_valid_openapi(client: FlaskClient) -> None:
    from openapi_spec_validator import validate  # a second of computing: for the workers that run such a test only

    validate(client.get("/openapi.json?role=operator&tag=clusters").json)
