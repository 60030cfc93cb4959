"""Mistakes in views and documents of a plugin's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask import Response, request

from omni_gateway.sdk import NotFound, Resource, ResourceAdapter, ResourcePlugin, Role, require_role
from omni_gateway.sdk.actions import current_gateway, idempotent

from ..sound import (
    PLATE,
    POWER,
    RackAdapter,
    RackNoQuerySchema,
    RackSchema,
    RackVisitorsSchema,
    RackVisitSchema,
    plate,
    power,
    racks,
    signed,
    visits,
)
from .entry import Planted


def plate_with_plain_error(plugin: ResourcePlugin) -> None:
    @plugin.blueprint.get("/<id>/plate")
    @require_role(Role.READER)
    @plugin.blueprint.doc(operationId=f"get_{plugin.singular_id}_plate", responses=PLATE)
    @plugin.blueprint.arguments(RackNoQuerySchema, location="query")
    def show_plate(query: Mapping[str, Any], id: str) -> Any:
        try:
            rack = current_gateway().reading(plugin.adapter).get(id)
        except NotFound:
            return f"<h1>No rack {id}</h1>", 404
        return Response(f"{rack.id}: {rack.spec['title']}\n", mimetype="text/plain")


def plate_with_any_parameter(plugin: ResourcePlugin) -> None:
    @plugin.blueprint.get("/<id>/plate")
    @require_role(Role.READER)
    @plugin.blueprint.doc(operationId=f"get_{plugin.singular_id}_plate", responses=PLATE)
    def show_plate(id: str) -> Response:
        rack = current_gateway().reading(plugin.adapter).get(id)
        text = f"{rack.id}: {rack.spec['title']}\n"
        return Response(text.upper() if request.args.get("upper") else text, mimetype="text/plain")


VISIT = {"content": {"application/json": {"schema": RackVisitSchema}}}


def visits_of_any_body(plugin: ResourcePlugin) -> None:
    @plugin.blueprint.post("/<id>/visits")
    @require_role(Role.OPERATOR)
    @idempotent
    @plugin.blueprint.doc(operationId=f"visit_{plugin.singular_id}", requestBody=VISIT)
    @plugin.blueprint.response(200, RackVisitorsSchema)
    @plugin.blueprint.arguments(RackNoQuerySchema, location="query")
    def sign(query: Mapping[str, Any], id: str) -> Mapping[str, Any]:
        return signed(plugin, id, request.get_json().get("visitor", "someone"))


def visits_of_readers(plugin: ResourcePlugin) -> None:
    @plugin.blueprint.post("/<id>/visits")
    @require_role(Role.READER)
    @idempotent
    @plugin.blueprint.doc(operationId=f"visit_{plugin.singular_id}")
    @plugin.blueprint.response(200, RackVisitorsSchema)
    @plugin.blueprint.arguments(RackNoQuerySchema, location="query")
    def sign(query: Mapping[str, Any], id: str) -> Mapping[str, Any]:
        return signed(plugin, id, "someone")


def counted_power(adapter: ResourceAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    rack = adapter.get(id)
    adapter.replace(replace(rack, spec={**rack.spec, "inspected_by": "whoever looked last"}))
    return power(adapter, id, query)


class RackSchemaWithSerial(RackSchema):
    serial = ma.fields.String(dump_only=True)


class Numbered(RackAdapter):
    def _resource(self, document: Any) -> Resource:
        found = super()._resource(document)
        return replace(found, spec={**found.spec, "serial": 4711})  # a number, as its back end has it


def undeclared_power(adapter: ResourceAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**power(adapter, id, query), "amperes": 7}


view_answers_html = racks("view-answers-html", views=[plate_with_plain_error, visits])
view_accepts_unknown_parameters = racks("view-accepts-unknown-parameters", views=[plate_with_any_parameter, visits])
view_accepts_unknown_fields = racks("view-accepts-unknown-fields", views=[plate, visits_of_any_body])
view_lets_readers_write = racks("view-lets-readers-write", views=[plate, visits_of_readers])
a_read_writes = racks("a-read-writes", documents=[replace(POWER, run=counted_power)])
document_of_another_type = racks("document-of-another-type", Numbered, schema=RackSchemaWithSerial)
undeclared_member = racks("undeclared-member", documents=[replace(POWER, run=undeclared_power)])

PLANTED = [
    Planted(
        view_answers_html,
        "a view of its own returns a text and 404",
        "each error is a problem document",
        found_by=("test_a_further_route_of_a_missing_object_is_404",),
    ),
    Planted(
        view_accepts_unknown_parameters,
        "a view of its own reads `request.args`",
        "a parameter that the route does not have is refused",
        found_by=("test_a_further_route_refuses_an_unknown_parameter",),
    ),
    Planted(
        view_accepts_unknown_fields,
        "a view of its own reads `request.get_json()`",
        "a field that the route does not have is refused",
        found_by=("test_a_further_route_refuses_an_unknown_field",),
    ),
    Planted(
        view_lets_readers_write,
        "a view of its own writes and takes the reader role",
        "a reader changes nothing",
        found_by=("test_a_reader_changes_nothing_by_a_further_route",),
    ),
    Planted(
        a_read_writes,
        "a document notes who has read it: a write without an audit entry",
        "a GET changes nothing",
        found_by=("test_a_further_read_changes_nothing",),
    ),
    Planted(
        document_of_another_type,
        "a field is declared text and is a number",
        "answers are as the document says",
        found_by=("test_an_answer_is_as_the_document_says[get]",),
    ),
    Planted(
        undeclared_member,
        "a document returns a member that its schema lacks",
        "answers are as the document says",
        found_by=("test_a_further_read_has_the_members_that_the_document_names",),
    ),
]
