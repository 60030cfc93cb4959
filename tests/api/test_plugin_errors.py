"""An error that is raised in a third party's plugin names the plugin; `internal` is a defect of the gateway only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import marshmallow as ma
import pytest
from flask import abort

from omni_gateway.app import create_app
from omni_gateway.plugins.discovery import Found
from omni_gateway.sdk import (
    Listing,
    ListQuery,
    Problem,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    ResourceSchema,
    Role,
    fields,
    require_role,
)
from omni_gateway.sdk.actions import Action, ComputedDocument
from omni_gateway.settings import Settings

from .conftest import Caller

SECRET = "the secret is 42"


class FragileSchema(ResourceSchema):
    """An object whose schema hook fails."""

    size = fields.Integer()

    @ma.pre_load
    def look(self, data: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        raise RuntimeError(SECRET)


class FragileAdapter(ResourceAdapter):
    """Lists that fail, reads of nothing, and watches that end in an error."""

    type = "Fragile.example.org"

    def list(self, query: ListQuery) -> Listing:
        if query.search == "watched":
            return Listing([], 0)
        raise RuntimeError(SECRET)

    def get(self, id: str) -> Resource:
        return None  # type: ignore[return-value]  # the engine fails on it, with no frame of the plugin's

    def watch(self, query: ListQuery, id: str = "") -> Any:
        raise RuntimeError(SECRET)


def explode(*_: Any, **__: Any) -> Any:
    raise RuntimeError(SECRET)


def call_it_internal(*_: Any, **__: Any) -> Any:
    raise Problem(500, "internal", SECRET)


def fragile() -> ResourcePlugin:
    plugin = ResourcePlugin(
        name="fragiles",
        singular="fragile",
        schema=FragileSchema,
        adapter=FragileAdapter(),
        roles={"list": Role.READER, "get": Role.READER, "create": Role.OPERATOR},
        actions=[Action("explode", role=Role.OPERATOR, summary="Explode", run=explode)],
        documents=[ComputedDocument("internal", role=Role.READER, summary="Fail", run=call_it_internal)],
    )

    @plugin.blueprint.get("/broken/view")
    @require_role(Role.READER)
    def view() -> Any:
        raise RuntimeError(SECRET)

    @plugin.blueprint.get("/broken/abort")
    @require_role(Role.READER)
    def aborted() -> Any:
        abort(500, SECRET)

    return plugin


@pytest.fixture(scope="module")
def caller_of(settings: Settings, tokens: dict[str, str]) -> Callable[[str], Caller]:
    """Makes an admin's client of a gateway with the fragile plugin of a distribution."""

    def of(distribution: str) -> Caller:
        found = [Found("fragiles", "fragile_package:plugin", distribution, "1.2", "loaded", fragile())]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("omni_gateway.app.discover", lambda **_: found)
            patch.setattr("flask_smorest.Blueprint.register_views_in_doc", lambda *_, **__: None)
            return Caller(create_app(settings).test_client(), tokens["admin"])

    return of


@pytest.fixture(scope="module")
def third_party(caller_of: Callable[[str], Caller]) -> Caller:
    return caller_of("fragile-dist")


CALLS = {
    "a list of its adapter": ("get", "fragiles", {}),
    "a read of its adapter that returns nothing": ("get", "fragiles/a", {}),
    "a hook of its schema": ("post", "fragiles", {"json": {"id": "a", "size": 1}}),
    "an action": ("post", "fragiles/a/actions/explode", {}),
    "a computed document that calls its error internal": ("get", "fragiles/a/internal", {}),
    "a view": ("get", "fragiles/broken/view", {}),
    "a view that aborts": ("get", "fragiles/broken/abort", {}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_error_in_a_plugin_names_the_plugin_and_is_logged_with_it(
    third_party: Caller, caplog: pytest.LogCaptureFixture, call: tuple[str, str, dict[str, Any]]
) -> None:
    method, path, options = call
    answer = getattr(third_party, method)(path, **options)
    problem = answer.json
    assert (answer.status_code, problem["code"]) == (500, "plugin-error")
    assert (problem["plugin"], problem["distribution"]) == ("fragiles", "fragile-dist")
    assert SECRET not in answer.text
    logged = next(record for record in caplog.records if record.exc_info)
    assert f"plugin 'fragiles' of fragile-dist 1.2 in request {problem['request_id']}" in logged.getMessage()


def test_a_watch_that_fails_after_its_status_line_names_the_plugin(third_party: Caller) -> None:
    answer = third_party.get("fragiles?search=watched", headers={"Accept": "application/x-ndjson"})
    events = [json.loads(line) for line in answer.data.splitlines()]
    errors = [event["object"] for event in events if event["type"] == "ERROR"] or [answer.json]
    assert [(error["code"], error["plugin"]) for error in errors] == [("plugin-error", "fragiles")]


def test_the_same_error_in_a_built_in_is_a_defect_of_the_gateway(caller_of: Callable[[str], Caller]) -> None:
    answer = caller_of("omni-gateway").get("fragiles")
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert "plugin" not in answer.json
