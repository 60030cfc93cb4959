"""Every route that no conformance class reaches: what a caller without rights, without sense or luck is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from omni_gateway.http.openapi.operations import operations_of

from .conftest import Caller
from .routes import beyond_the_kit, body, url

LOWER = {"operator": "reader", "admin": "operator"}


@pytest.fixture(scope="module")
def document(app: Flask) -> dict[str, Any]:
    return dict(json.loads(app.test_client().get("/openapi.json").data))


def refused(
    document: dict[str, Any], ask: Callable[[str, str, dict[str, Any]], Any], status: int, code: str
) -> dict[str, Any]:
    """Ask every route (``ask`` returns None where it has nothing to ask); return those that answered otherwise."""
    other, asked = {}, 0
    for method, path, operation in beyond_the_kit(document):
        answer = ask(method, path, operation)
        if answer is None:
            continue
        asked += 1
        problem = answer.json if answer.mimetype == "application/problem+json" else {}
        if (answer.status_code, problem.get("code")) != (status, code):
            other[f"{method.upper()} {path}"] = (answer.status_code, answer.text[:200])
    assert asked > 2
    return other


def test_an_object_that_is_not_there_is_a_404_on_every_route_that_names_one(
    document: dict[str, Any], api: Caller
) -> None:
    def ask(method: str, path: str, operation: dict[str, Any]) -> Any:
        if "{id}" not in path or method in ("put", "post"):
            return None
        return getattr(api, method)(url(path), **body(operation))

    assert refused(document, ask, 404, "not-found") == {}


def test_an_unknown_query_parameter_is_refused_by_name_on_every_route(document: dict[str, Any], api: Caller) -> None:
    def ask(method: str, path: str, operation: dict[str, Any]) -> Any:
        return getattr(api, method)(f"{url(path)}?no_such_parameter=1", **body(operation))

    assert refused(document, ask, 422, "unknown-parameter") == {}


@pytest.mark.parametrize(
    ("data", "code", "status"),
    [("{", "bad-json", 400), ("", "bad-json", 400), ('{"a": 1, "a": 2}', "bad-json", 400)],
    ids=["broken", "empty", "duplicate key"],
)
def test_a_body_that_is_no_json_is_refused_on_every_route_that_needs_one(
    document: dict[str, Any], api: Caller, data: str, code: str, status: int
) -> None:
    def ask(method: str, path: str, operation: dict[str, Any]) -> Any:
        if not operation.get("requestBody", {}).get("required"):
            return None
        media = next(media for media in operation["requestBody"]["content"] if "json" in media)
        return getattr(api, method)(url(path), data=data, content_type=media)

    assert refused(document, ask, status, code) == {}


def test_another_media_type_is_refused_on_every_route_that_needs_a_body(document: dict[str, Any], api: Caller) -> None:
    def ask(method: str, path: str, operation: dict[str, Any]) -> Any:
        if not operation.get("requestBody", {}).get("required"):
            return None
        return getattr(api, method)(url(path), data="<a/>", content_type="text/xml")

    assert refused(document, ask, 415, "unsupported-media-type") == {}


def test_an_unknown_field_is_refused_on_every_route_that_takes_a_schema(document: dict[str, Any], api: Caller) -> None:
    def ask(method: str, path: str, operation: dict[str, Any]) -> Any:
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None or path == "/api/v1/apply":
            return None
        said = {**content.get("example", {}), "no_such_field": 1}
        return getattr(api, method)(url(path), json=said)

    assert refused(document, ask, 422, "validation") == {}


def test_a_method_that_a_route_does_not_have_is_a_405_that_names_those_it_has(
    document: dict[str, Any], api: Caller
) -> None:
    wrong = {}
    for path in {path for _, path, _ in beyond_the_kit(document)}:
        item = document["paths"][path]
        method = next((name for name in ("put", "delete", "post", "patch") if name not in item), None)
        if method is None:
            continue
        answer = getattr(api, method)(url(path))
        allowed = {name.strip().lower() for name in answer.headers.get("Allow", "").split(",")}
        if answer.status_code != 405 or not allowed >= {name for name, _ in operations_of(item)}:
            wrong[f"{method} {path}"] = (answer.status_code, allowed)
    assert wrong == {}
