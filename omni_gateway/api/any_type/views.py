"""The routes of ``/api/v1/resources``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from flask import Response
from marshmallow import fields

from omni_gateway.api.any_type.catalogue import Catalogue
from omni_gateway.api.any_type.definitions import Definition
from omni_gateway.api.any_type.kinds import GenericResourceSchema, Kind
from omni_gateway.auth import Role
from omni_gateway.http.idempotency import idempotent
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.rest.links import API_PREFIX, object_url
from omni_gateway.rest.operations import OperationSchema
from omni_gateway.rest.parameters import NoQuery, ReadQuery, WriteQuery, list_query_schema
from omni_gateway.rest.schema import SpecSchema
from omni_gateway.rest.views import collection, create, item
from omni_gateway.rest.views.openapi import (
    DRY_RUN,
    FAILED_PRECONDITION,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_NONE_MATCH_PUT,
    IF_NONE_MATCH_WRITE,
    View,
    documented,
    or_dry_run,
)
from omni_gateway.rest.views.responses import json_response
from omni_gateway.rest.views.routes import LIST_HEADERS, STREAMS, WRITE_PROBLEMS, merge_patch_body

_ROLES = (
    "The role is that of the type's own routes; a type without routes of its own requires admin."
    " `{type}` is a full name, a short name or an alias, in upper or lower case."
)
EXAMPLE: dict[str, Any] = {
    "id": "metal",
    "spec": {"match_labels": ["omni.sidero.dev/platform = metal"]},
}


class ResourceTypeSchema(SpecSchema):
    """An Omni resource type."""

    type = fields.String()
    namespace = fields.String(metadata={"description": "The namespace of its objects"})
    display_type = fields.String()
    aliases = fields.List(fields.String())
    sensitivity = fields.String()
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
        description="Objects of every Omni type, in one form; prefer a type's own routes where it has some",
    )
    routes.add_url_rule("", endpoint="types", view_func=_types_view(routes, catalogue), methods=["GET"])
    for rule, method, endpoint, view in (
        ("/<type>", "GET", "list", _list_view(routes, catalogue)),
        ("/<type>", "POST", "create", _create_view(routes, catalogue)),
        ("/<type>/<id>", "GET", "get", _get_view(routes, catalogue)),
        ("/<type>/<id>", "PUT", "replace", _replace_view(routes, catalogue)),
        ("/<type>/<id>", "PATCH", "patch", _patch_view(routes, catalogue)),
        ("/<type>/<id>", "DELETE", "delete", _delete_view(routes, catalogue)),
    ):
        routes.add_url_rule(rule, endpoint=endpoint, view_func=view, methods=[method])
    return routes


def _types_view(routes: GatewayBlueprint, catalogue: Catalogue) -> View:
    def list_types(arguments: Mapping[str, Any]) -> Response:
        return json_response(orjson.dumps([_document(catalogue, item) for item in catalogue.all()]))

    return documented(
        routes,
        list_types,
        role=Role.READER,
        authorized_by_omni=True,
        operation_id="list_resource_types",
        summary="List the resource types that Omni has",
        query=NoQuery(),
        answers={200: (ResourceTypeSchema(many=True), "The types")},
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


def _list_view(routes: GatewayBlueprint, catalogue: Catalogue) -> View:
    return documented(
        routes,
        _for_kind(catalogue, "list", lambda kind: collection.list_view(kind.collection)),
        role=Role.READER,
        authorized_by_omni=True,
        operation_id="list_resources",
        summary="List the objects of a type",
        description=_ROLES,
        query=list_query_schema("resources", []),
        answers={200: (GenericResourceSchema(many=True), "A page of objects")},
        answer_headers=LIST_HEADERS,
        media_types=STREAMS,
        problems={404: "Omni has no such type", 410: "The resume point is too old", 422: "A parameter is invalid"},
        parameters=[IF_NONE_MATCH],
    )


def _create_view(routes: GatewayBlueprint, catalogue: Catalogue) -> View:
    return documented(
        routes,
        idempotent(_for_kind(catalogue, "create", lambda kind: create.post_view(kind.creation))),
        role=Role.OPERATOR,
        authorized_by_omni=True,
        operation_id="create_resource",
        summary="Create an object of a type",
        description=_ROLES,
        query=WriteQuery(),
        body=GenericResourceSchema(),
        body_example=EXAMPLE,
        answers={201: (GenericResourceSchema(), "The new object"), **DRY_RUN},
        answer_headers=("ETag", "Location"),
        problems={404: "Omni has no such type", 409: "An object of this id exists already", 422: "A value is invalid"},
    )


def _get_view(routes: GatewayBlueprint, catalogue: Catalogue) -> View:
    return documented(
        routes,
        _for_kind(catalogue, "get", lambda kind: item.get_view(kind.item)),
        role=Role.READER,
        authorized_by_omni=True,
        operation_id="get_resource",
        summary="Read an object of a type",
        description=_ROLES,
        query=ReadQuery(),
        answers={200: (GenericResourceSchema(), "The object")},
        answer_headers=("ETag", "Cache-Status"),
        media_types=STREAMS,
        problems={404: "No such object or type"},
        parameters=[IF_NONE_MATCH],
    )


def _replace_view(routes: GatewayBlueprint, catalogue: Catalogue) -> View:
    return documented(
        routes,
        _for_kind(catalogue, "replace", lambda kind: item.put_view(kind.item)),
        role=Role.OPERATOR,
        authorized_by_omni=True,
        operation_id="replace_resource",
        summary="Replace the spec, labels and annotations of an object",
        description=_ROLES,
        query=WriteQuery(),
        body=GenericResourceSchema(),
        body_example=EXAMPLE,
        answers={
            200: (or_dry_run(GenericResourceSchema()), "The object after the write"),
            201: (GenericResourceSchema(), "The new object (only with `If-None-Match: *`)"),
        },
        answer_headers=("ETag", "Location"),
        problems=WRITE_PROBLEMS,
        parameters=[IF_MATCH, IF_NONE_MATCH_PUT],
    )


def _patch_view(routes: GatewayBlueprint, catalogue: Catalogue) -> View:
    return documented(
        routes,
        _for_kind(catalogue, "patch", lambda kind: item.patch_view(kind.item)),
        role=Role.OPERATOR,
        authorized_by_omni=True,
        operation_id="patch_resource",
        summary="Change an object with a merge patch (RFC 7396)",
        description=_ROLES,
        query=WriteQuery(),
        answers={200: (or_dry_run(GenericResourceSchema()), "The object after the write")},
        answer_headers=("ETag",),
        problems={**WRITE_PROBLEMS, 415: "Not a merge patch; `Accept-Patch` names the media types"},
        parameters=[IF_MATCH, IF_NONE_MATCH_WRITE],
        extra_doc=merge_patch_body(),
    )


def _delete_view(routes: GatewayBlueprint, catalogue: Catalogue) -> View:
    return documented(
        routes,
        _for_kind(catalogue, "delete", lambda kind: item.delete_view(kind.item, kind.destroy)),
        role=Role.OPERATOR,
        authorized_by_omni=True,
        operation_id="delete_resource",
        summary="Remove an object",
        description=_ROLES,
        query=WriteQuery(),
        answers={204: (None, "Removed"), **DRY_RUN, 202: (OperationSchema, "Omni is removing it")},
        problems={
            404: "No such object or type",
            409: "Not possible in the object's present state",
            412: FAILED_PRECONDITION,
        },
        parameters=[IF_MATCH, IF_NONE_MATCH_WRITE],
    )
