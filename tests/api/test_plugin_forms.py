"""The forms of a plugin beside the usual collection: one object only, no objects, creates that answer otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, Response, jsonify
from flask.views import MethodView
from marshmallow import fields

from omni_gateway.app import create_app
from omni_gateway.plugins.discovery import Found
from omni_gateway.sdk import (
    READ,
    READ_WRITE,
    Filter,
    Listing,
    ListQuery,
    NotFound,
    OmniResourceAdapter,
    Operation,
    OperationKind,
    Resource,
    ResourceAdapter,
    ResourcePlugin,
    ResourceSchema,
    Role,
    SpecSchema,
    require_role,
)
from omni_gateway.sdk.actions import ComputedDocument, PluginError, ServicePlugin, idempotent
from omni_gateway.sdk.adapters import FoundExisting
from omni_gateway.settings import Settings

from .conftest import Caller


class NoteSchema(ResourceSchema):
    """A note."""

    text = fields.String()


class KeptSchema(ResourceSchema):
    """A secret, told once."""

    id = fields.String(dump_only=True)
    returned_once = frozenset({"secret"})
    secret = fields.String(dump_only=True)
    name = fields.String()


class GreetingSchema(SpecSchema):
    """A greeting."""

    text = fields.String()


class InMemory(ResourceAdapter):
    """Objects in a dictionary, shared by every copy of the adapter."""

    def __init__(self) -> None:
        self.held: dict[str, Resource] = {}

    def list(self, query: ListQuery) -> Listing:
        return Listing(list(self.held.values()), len(self.held))

    def get(self, id: str) -> Resource:
        if id not in self.held:
            raise NotFound(id)
        return self.held[id]

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> Any:
        if resource.spec.get("text") == "later":
            return Operation("note-arrival", resource.id, "running")
        if resource.spec.get("text") == "known":
            return FoundExisting(resource)
        if "name" in resource.spec:
            resource.id = "made-here"
            self.held[resource.id] = Resource("made-here", {"name": resource.spec["name"]})
            return Resource("made-here", {"name": resource.spec["name"], "secret": "only now"})
        self.held[resource.id] = resource
        if resource.spec.get("text") == "breaks":
            raise RuntimeError("the connection to the back end broke")
        return None

    def replace(self, resource: Resource) -> None:
        self.held[resource.id] = resource

    def delete(self, resource: Resource) -> None:
        del self.held[resource.id]


def counting() -> Callable[[], Response]:
    """Return a view that tells how often it was called."""
    numbers = count(1)
    return lambda: jsonify(done=next(numbers))


def plugins() -> Sequence[ServicePlugin]:
    arrival = OperationKind("note-arrival", lambda omni, id: Operation("note-arrival", id, "running"))
    motto = ResourcePlugin(
        name="house/motto",
        singular="motto",
        schema=NoteSchema,
        adapter=InMemory(),
        roles={verb: role for verb, role in READ_WRITE.items() if verb != "list"},
        singleton="motto",
    )
    notes = ResourcePlugin(
        name="house/notes",
        singular="note",
        schema=NoteSchema,
        adapter=InMemory(),
        roles=READ_WRITE,
        operations=[arrival],
    )
    count_letters = notes.blueprint.arguments(SpecSchema, location="query")(lambda query, id: jsonify(length=len(id)))
    notes.blueprint.add_url_rule("/<id>/length", endpoint="length", view_func=require_role(Role.READER)(count_letters))
    kept = ResourcePlugin(
        name="house/kept",
        singular="kept-thing",
        schema=KeptSchema,
        adapter=InMemory(),
        roles=READ_WRITE,
    )
    greet = ComputedDocument(
        "",
        on_collection=True,
        role=Role.READER,
        summary="Greet",
        answers=GreetingSchema,
        run=lambda adapter, query: {"text": "hello"},
    )
    greeting = ServicePlugin(name="house/greeting", description="No objects at all", documents=[greet])
    greeting.blueprint.add_url_rule(
        "/plain", endpoint="plain", view_func=require_role(Role.READER)(counting()), methods=["POST"]
    )
    once = require_role(Role.READER)(idempotent(counting()))
    greeting.blueprint.add_url_rule("/once", endpoint="once", view_func=once, methods=["POST"])
    methods = type("Methods", (MethodView,), {"post": staticmethod(require_role(Role.READER)(counting()))})
    greeting.blueprint.add_url_rule("/methods", view_func=methods)
    return motto, notes, kept, greeting


def app_with_plugins(settings: Settings) -> Flask:
    found = [Found(plugin.name, "here", "house", "1.0", "loaded", plugin) for plugin in plugins()]
    return create_app(settings, plugins=found)


@pytest.fixture
def house(settings: Settings, tokens: dict[str, str], undocumented: None) -> Caller:
    return Caller(app_with_plugins(settings).test_client(), tokens["admin"])


@pytest.fixture(scope="module")
def document(settings: Settings) -> Mapping[str, Any]:
    return app_with_plugins(settings).test_client().get("/openapi.json").json


def test_the_only_object_of_its_kind_lives_at_the_collections_own_url(house: Caller) -> None:
    made = house.post("house/motto", json={"text": "festina lente"})
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/house/motto")
    assert made.json["id"] == "motto"
    assert made.json["_links"]["self"] == "/api/v1/house/motto"


def test_the_only_object_can_be_changed_and_removed(house: Caller) -> None:
    house.post("house/motto", json={"text": "festina lente"})
    assert house.put("house/motto", json={"text": "semper"}).json["text"] == "semper"
    assert house.patch("house/motto", json={"text": "ad astra"}).json["text"] == "ad astra"
    assert house.delete("house/motto").status_code == 204
    assert house.get("house/motto").status_code == 404


def test_the_only_object_takes_no_other_id(house: Caller) -> None:
    answer = house.post("house/motto", json={"id": "other", "text": "x"})
    assert answer.status_code == 422
    assert "id" in answer.json["errors"]


def test_names_may_have_several_words_and_ids_may_have_slashes(house: Caller) -> None:
    made = house.post("house/notes", json={"id": "a/b c", "text": "x"})
    assert made.headers["Location"] == "/api/v1/house/notes/a%2Fb%20c"
    assert house.get(made.headers["Location"]).json["id"] == "a/b c"


def test_what_comes_later_is_a_202_with_its_operation(house: Caller) -> None:
    made = house.post("house/notes", json={"id": "n1", "text": "later"})
    assert made.status_code == 202
    assert made.headers["Operation-Location"] == "/api/v1/operations/note-arrival/n1"


def test_what_was_there_already_is_a_200(house: Caller) -> None:
    assert house.post("house/notes", json={"id": "n2", "text": "known"}).status_code == 200


def test_an_id_may_be_given_by_the_back_end(house: Caller) -> None:
    made = house.post("house/kept", json={"name": "n"})
    assert (made.status_code, made.headers["Location"]) == (201, "/api/v1/house/kept/made-here")
    assert made.json["secret"] == "only now"
    assert not house.get("house/kept/made-here").json.get("secret")


def test_what_is_told_once_is_told_again_to_the_same_caller_and_key_and_kept_in_no_clear_text(
    house: Caller, settings: Settings
) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first = house.post("house/kept", json={"name": "n"}, headers=key)
    again = house.post("house/kept", json={"name": "n"}, headers=key)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert first.json["secret"] == again.json["secret"] == "only now"
    assert b"only now" not in b"".join(file.read_bytes() for file in settings.state_dir.glob("*.sqlite*"))


def test_a_view_that_would_ignore_an_idempotency_key_refuses_it(house: Caller) -> None:
    for path in ("house/greeting/plain", "house/greeting/methods"):
        assert house.post(path).json == {"done": 1}
        refused = house.post(path, headers={"Idempotency-Key": str(uuid4())})
        assert (refused.status_code, refused.json["code"]) == (400, "bad-request")
        assert "Idempotency-Key" in refused.json["detail"]
        assert house.post(path).json == {"done": 2}


def test_a_view_of_a_plugins_own_can_honour_an_idempotency_key(house: Caller) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answers = [house.post("house/greeting/once", headers=key) for _ in range(3)]
    assert [answer.json for answer in answers] == [{"done": 1}] * 3
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true", "true"]


def test_what_broke_off_in_a_plugins_own_back_end_is_not_done_again_under_its_key(house: Caller) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    body = {"id": "n3", "text": "breaks"}
    assert house.post("house/notes", json=body, headers=key).status_code == 500
    again = house.post("house/notes", json=body, headers=key)
    assert (again.status_code, again.json["code"]) == (409, "outcome-unknown")
    assert house.get("house/notes/n3").json["text"] == "breaks"


def test_a_service_answers_at_its_own_url(house: Caller) -> None:
    assert house.get("house/greeting").json == {"text": "hello"}


def test_every_form_is_in_the_document(document: Mapping[str, Any]) -> None:
    paths = document["paths"]
    assert set(paths["/api/v1/house/motto"]) == {"get", "post", "put", "patch", "delete"}
    assert paths["/api/v1/house/greeting"]["get"]["operationId"] == "get_house_greeting"


def test_a_view_of_a_plugins_own_may_be_below_an_object(house: Caller) -> None:
    assert house.get("house/notes/four/length").json == {"length": 4}


def test_a_view_of_a_plugins_own_is_documented_with_the_problems_of_every_route(
    document: Mapping[str, Any],
) -> None:
    responses = document["paths"]["/api/v1/house/notes/{id}/length"]["get"]["responses"]
    problems = {answer["$ref"].rpartition("/")[2] for answer in responses.values() if "$ref" in answer}
    assert problems <= set(document["components"]["responses"])
    assert {"Unauthorized", "Forbidden", "NotFound", "UnprocessableContent", "InternalServerError"} <= problems


@pytest.mark.parametrize(("view", "takes_key"), [("once", True), ("plain", False)])
def test_a_view_of_a_plugins_own_is_documented_with_the_key_that_it_takes(
    document: Mapping[str, Any], view: str, takes_key: bool
) -> None:
    operation = document["paths"][f"/api/v1/house/greeting/{view}"]["post"]
    key = {"$ref": "#/components/parameters/IdempotencyKeyParameter"}
    assert (key in operation.get("parameters", [])) is takes_key
    assert (operation["responses"].get("409") == {"$ref": "#/components/responses/Conflict"}) is takes_key


@pytest.mark.parametrize("name", ["view", "fields", "ticket"])
def test_a_filter_with_the_name_of_a_common_parameter_is_refused(name: str) -> None:
    with pytest.raises(PluginError, match=name):
        ResourcePlugin(
            name="taken-parameter",
            singular="taken-parameter",
            schema=ResourceSchema,
            adapter=OmniResourceAdapter("MachineClasses.omni.sidero.dev"),
            roles=READ,
            filters=[Filter(name, "Takes the name of another parameter")],
        )
