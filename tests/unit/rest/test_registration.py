"""The order in which a request passes what ``registration.add`` puts around a view."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from marshmallow import Schema, fields

from omni_gateway.auth import Role
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.rest.gateway import EXTENSION
from omni_gateway.rest.parameters import WriteQuery
from omni_gateway.rest.response_cache import Key, Reply
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.route import Request, Responses, Route
from omni_gateway.store import Store

DONE = Responses(answers={200: (None, "Done")})


class NameSchema(Schema):
    """A body."""

    name = fields.String(required=True)


class RecordingCache:
    """A response cache that has a response to every request, and records which requests asked it for one."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get(self, key: Key, max_age: float | None, if_none_match: str | None) -> Reply:
        self.asked.append(request.full_path)
        return Reply(200, [("Content-Type", "text/plain")], b"cached")


@pytest.fixture
def cache(bare: Flask) -> RecordingCache:
    cache = RecordingCache()
    bare.extensions[EXTENSION] = SimpleNamespace(responses=cache)
    return cache


@pytest.fixture
def client(bare: Flask, cache: RecordingCache) -> FlaskClient:
    blueprint = GatewayBlueprint("things", __name__, url_prefix="/things")

    def write(query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        return {"query": query, "body": body}

    def read(query: Mapping[str, Any], id: str) -> str:
        return f"read {id}"

    request = Request(query=WriteQuery(), body=NameSchema())
    for route in (
        Route(
            method="POST",
            rule="",
            operation_id="write",
            role=Role.OPERATOR,
            view=write,
            summary="Write",
            request=request,
            responses=DONE,
        ),
        Route(
            method="GET",
            rule="/cached",
            operation_id="read_cached",
            role=Role.OPERATOR,
            view=read,
            summary="Read",
            responses=DONE,
            conditional=True,
            defaults={"id": "x"},
        ),
        Route(
            method="GET",
            rule="/<id>",
            operation_id="read",
            role=Role.READER,
            view=read,
            summary="Read",
            responses=DONE,
        ),
    ):
        add(blueprint, route)
    bare.extensions["api"].register_blueprint(blueprint)
    return bare.test_client()


def bearer(store: Store, role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {store.tokens.create('t', role, None)[1]}"}


def test_the_role_is_checked_before_the_query_and_the_body(client: FlaskClient, store: Store) -> None:
    assert client.post("/things?no=1", data="no").status_code == 401
    assert client.post("/things?no=1", data="no", headers=bearer(store, "reader")).status_code == 403


def test_the_query_is_checked_before_the_body(client: FlaskClient, store: Store) -> None:
    answer = client.post("/things?no=1", json={}, headers=bearer(store, "operator"))
    assert (answer.status_code, answer.json["code"]) == (422, "unknown-parameter")
    answer = client.post("/things", json={}, headers=bearer(store, "operator"))
    assert (answer.status_code, answer.json["errors"].keys()) == (422, {"name"})


def test_the_view_gets_the_query_and_then_the_body(client: FlaskClient, store: Store) -> None:
    answer = client.post("/things?dry_run=true", json={"name": "n"}, headers=bearer(store, "operator"))
    assert answer.json == {"query": {"dry_run": True}, "body": {"name": "n"}}


def test_the_response_cache_is_asked_only_after_the_role_and_before_the_query(
    client: FlaskClient, store: Store, cache: RecordingCache
) -> None:
    assert client.get("/things/cached").status_code == 401
    assert client.get("/things/cached", headers=bearer(store, "reader")).status_code == 403
    assert cache.asked == []
    assert client.get("/things/cached?no=1", headers=bearer(store, "operator")).text == "cached"
    assert cache.asked == ["/things/cached?no=1"]


def test_the_response_cache_is_not_asked_by_other_routes(
    client: FlaskClient, store: Store, cache: RecordingCache
) -> None:
    assert client.get("/things/a", headers=bearer(store, "reader")).text == "read a"
    assert cache.asked == []


def test_a_route_takes_its_own_method_only(client: FlaskClient, store: Store) -> None:
    assert client.delete("/things/a", headers=bearer(store, "admin")).status_code == 405
    assert client.head("/things/a", headers=bearer(store, "reader")).status_code == 200
