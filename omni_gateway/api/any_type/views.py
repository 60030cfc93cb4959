"""The routes of ``/api/v1/resources``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from flask import Response
from marshmallow import fields

from omni_gateway.auth import Role
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.openapi.events import STREAMS
from omni_gateway.http.openapi.tags import Tag
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.rest.any_type.catalogue import Catalogue
from omni_gateway.rest.any_type.definitions import Definition
from omni_gateway.rest.any_type.kinds import GenericResourceSchema, Kind
from omni_gateway.rest.bulk.routes import Bulk, Target
from omni_gateway.rest.links import API_PREFIX, object_url
from omni_gateway.rest.operations import OperationSchema
from omni_gateway.rest.parameters import ReadQuery, WriteQuery, list_query_schema
from omni_gateway.rest.predictions import refuse_verb
from omni_gateway.rest.schema import SpecSchema
from omni_gateway.rest.views.collection import list_view
from omni_gateway.rest.views.create import post_view
from omni_gateway.rest.views.item import delete_view, get_view, patch_content, patch_view, put_view
from omni_gateway.rest.views.openapi import (
    IF_MATCH,
    IF_NONE_MATCH_PUT,
    IF_NONE_MATCH_WRITE,
    LIST_HEADERS,
    OBJECT_HEADERS,
    PATCH_PROBLEMS,
    PLANNED,
    WRITE_PROBLEMS,
    WRITTEN_HEADERS,
)
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.responses import json_response
from omni_gateway.rest.views.route import Request, Responses, Route, View

_ROLES = (
    "The role is that of the type's own routes; a type without routes of its own requires admin, or operator if it is"
    " part of cluster templates."
    " `{type}` is a full name, a short name or an alias, in upper or lower case."
)
#: Verb of a bulk request → what it is to Omni.
_OMNIS_VERBS: Mapping[str, str] = {"patch": "update", "delete": "destroy"}
EXAMPLE: dict[str, Any] = {
    "id": "metal",
    "spec": {"match_labels": ["omni.sidero.dev/platform = metal"]},
}


class ResourceTypeSchema(SpecSchema):
    """An Omni resource type."""

    type = fields.String(metadata={"description": "Full name of the type", "example": "MachineClasses.omni.sidero.dev"})
    namespace = fields.String(metadata={"description": "The namespace of its objects", "example": "default"})
    display_type = fields.String(metadata={"description": "Name of the type for people", "example": "MachineClass"})
    aliases = fields.List(
        fields.String(),
        metadata={
            "description": "Further names that a URL or a document may have instead, as in omnictl",
            "example": ["machineclass", "machineclasses", "mc"],
        },
    )
    sensitivity = fields.String(
        metadata={
            "description": "`sensitive` for types whose objects hold secrets, by Omni's own definition; else empty",
            "example": "",
        }
    )
    links = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="_links",
        metadata={"description": "`objects`, and `resource` for the routes of a plugin that serves the type"},
    )


def blueprint(catalogue: Catalogue) -> GatewayBlueprint:
    """Return the blueprint of one application."""
    routes = GatewayBlueprint(
        "resources",
        __name__,
        url_prefix=f"{API_PREFIX}/resources",
        description="Objects of every Omni type, in one form; prefer a type's own routes where it has some.",
        tag=Tag("Any Omni type", "Resources of any type"),
    )
    for route in (_types_route(catalogue), *_object_routes(catalogue), *_bulk_routes(catalogue)):
        add(routes, route)
    return routes


def _types_route(catalogue: Catalogue) -> Route:
    def list_types(arguments: Mapping[str, Any]) -> Response:
        return json_response(orjson.dumps([_document(catalogue, item) for item in catalogue.all()]))

    return Route(
        method="GET",
        rule="",
        operation_id="list_resource_types",
        role=Role.READER,
        authorized_by_omni=True,
        view=list_types,
        summary="List the resource types that Omni has",
        description="Every type that this Omni defines, with the names that URLs and documents may have for it, and the"
        " URL of its objects.",
        responses=Responses(answers={200: (ResourceTypeSchema(many=True), "The types")}),
    )


def _document(catalogue: Catalogue, definition: Definition) -> dict[str, Any]:
    links = {"objects": object_url("resources", definition.type)}
    plugin = catalogue.plugin_of(definition.type)
    if plugin:
        links["resource"] = f"{API_PREFIX}/{plugin.name}"
    return {
        "type": definition.type,
        "namespace": definition.namespace,
        "display_type": definition.display_type,
        "aliases": list(definition.aliases),
        "sensitivity": definition.sensitivity,
        "_links": links,
    }


def _for_kind(catalogue: Catalogue, verb: str, make: Callable[[Kind], Callable[..., Response]]) -> View:
    """Return a view that looks the type up, checks the caller's role and calls the view that ``make`` returns."""

    def view(*arguments: Any, type: str, **path: str) -> Response:
        return make(catalogue.allowed(type, verb))(*arguments, **path)

    return view


def _bulk_routes(catalogue: Catalogue) -> Iterator[Route]:
    """Yield the routes by which many objects of a type are changed with one request."""

    def target(verb: str, type: str) -> Target:
        catalogue.allowed(type, "list")  # what is selected is shown
        kind = catalogue.allowed(type, verb)
        hint = f"{verb.upper()} {API_PREFIX}/resources/{kind.type}/<id> asks Omni itself, for one object."
        refuse_verb(kind.type, _OMNIS_VERBS[verb], hint=hint)
        return Target("resources", kind.collection, kind.type)

    bulk = Bulk(
        "resources",
        "objects of a type",
        target,
        authorized_by_omni=True,
        rule="/<type>",
        text=_ROLES,
        problems={404: "Omni has no such type"},
    )
    yield bulk.patch_route(Role.OPERATOR, GenericResourceSchema())
    yield bulk.delete_route(Role.OPERATOR, WriteQuery)


def _object_routes(catalogue: Catalogue) -> Sequence[Route]:
    """Return the routes of objects: those of a :class:`omni_gateway.rest.plugin.ResourcePlugin`, for every type."""
    schema = GenericResourceSchema()
    route = partial(Route, description=_ROLES, authorized_by_omni=True)
    return (
        route(
            method="GET",
            rule="/<type>",
            operation_id="list_resources",
            role=Role.READER,
            view=_for_kind(catalogue, "list", lambda kind: list_view(kind.collection)),
            summary="List the objects of a type",
            request=Request(query=list_query_schema("resources", [])),
            responses=Responses(
                answers={200: (GenericResourceSchema(many=True), "A page of objects")},
                headers={200: LIST_HEADERS},
                media_types=STREAMS,
                problems={404: "Omni has no such type", 410: ""},
            ),
            conditional=True,
        ),
        route(
            method="POST",
            rule="/<type>",
            operation_id="create_resource",
            role=Role.OPERATOR,
            view=idempotent(_for_kind(catalogue, "create", lambda kind: post_view(kind.creation))),
            summary="Create an object of a type",
            request=Request(query=WriteQuery(), body=schema, example=EXAMPLE),
            responses=Responses(
                answers={
                    201: (schema, "The new object"),
                    200: (schema, "The object that would result (only with `dry_run=true`)"),
                },
                dry_run=True,
                headers={201: (*WRITTEN_HEADERS, "Location")},
                problems={404: "Omni has no such type", 409: "An object of this id exists already"},
            ),
        ),
        route(
            method="GET",
            rule="/<type>/<id>",
            operation_id="get_resource",
            role=Role.READER,
            view=_for_kind(catalogue, "get", lambda kind: get_view(kind.item)),
            summary="Read an object of a type",
            request=Request(query=ReadQuery()),
            responses=Responses(
                answers={200: (schema, "The object")},
                headers={200: OBJECT_HEADERS},
                media_types=STREAMS,
                problems={404: "No such object or type", 410: ""},
            ),
            conditional=True,
        ),
        route(
            method="PUT",
            rule="/<type>/<id>",
            operation_id="replace_resource",
            role=Role.OPERATOR,
            view=_for_kind(catalogue, "replace", lambda kind: put_view(kind.item)),
            summary="Replace the spec, labels and annotations of an object",
            request=Request(
                query=WriteQuery(),
                body=schema.with_id_in_url(),
                example=EXAMPLE,
                headers=[IF_MATCH, IF_NONE_MATCH_PUT],
            ),
            responses=Responses(
                answers={
                    200: (schema, "The object after the write"),
                    201: (schema, "The new object (only with `If-None-Match: *`)"),
                },
                dry_run=True,
                headers={200: WRITTEN_HEADERS, 201: (*WRITTEN_HEADERS, "Location")},
                problems=WRITE_PROBLEMS,
            ),
        ),
        route(
            method="PATCH",
            rule="/<type>/<id>",
            operation_id="patch_resource",
            role=Role.OPERATOR,
            view=_for_kind(catalogue, "patch", lambda kind: patch_view(kind.item)),
            summary="Change an object with a merge patch (RFC 7396)",
            request=Request(query=WriteQuery(), content=patch_content(schema), headers=[IF_MATCH, IF_NONE_MATCH_WRITE]),
            responses=Responses(
                answers={200: (schema, "The object after the write")},
                dry_run=True,
                headers={200: WRITTEN_HEADERS},
                problems=PATCH_PROBLEMS,
            ),
        ),
        route(
            method="DELETE",
            rule="/<type>/<id>",
            operation_id="delete_resource",
            role=Role.OPERATOR,
            view=_for_kind(catalogue, "delete", lambda kind: delete_view(kind.item, kind.destroy)),
            summary="Remove an object",
            request=Request(query=WriteQuery(), headers=[IF_MATCH, IF_NONE_MATCH_WRITE]),
            responses=Responses(
                answers={204: (None, "Removed"), **PLANNED, 202: (OperationSchema, "Omni is removing it")},
                dry_run=True,
                problems={404: "No such object or type", 409: "", 412: ""},
            ),
        ),
    )
