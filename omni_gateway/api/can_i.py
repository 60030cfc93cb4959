"""``/api/v1/auth/can-i``: the caller's permissions, from the same roles that guard the routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from omni_gateway.auth import Role
from omni_gateway.http.guard import current_principal
from omni_gateway.http.openapi.tags import Tag
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.problems import Problem
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.rest.declaration import VERBS
from omni_gateway.rest.links import API_PREFIX
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.responses import json_response
from omni_gateway.rest.views.route import Request, Responses, Route
from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk.actions import current_gateway

WATCH = "watch"


class CanIQuery(ma.Schema):
    """Query of can-i: a resource and a verb."""

    resource = fields.String(required=True, metadata={"description": "Name of a resource, as `/api/v1` lists it"})
    verb = fields.String(
        required=True,
        validate=ma.validate.OneOf((*VERBS, WATCH)),
        metadata={"description": "What to do with the resource; `watch` is what `list` allows"},
    )


class CanISchema(SpecSchema):
    """Whether the caller's role allows the verb."""

    allowed = fields.Boolean(
        metadata={
            "description": "Whether the caller's role allows the verb; Omni may still deny the request",
            "example": True,
        }
    )
    resource = fields.String(metadata={"description": "Name of the resource, as in the query", "example": "clusters"})
    verb = fields.String(metadata={"description": "The verb, as in the query", "example": "patch"})
    role = fields.String(
        metadata={
            "enum": [*(role.value for role in Role), "none"],
            "description": "The caller's role in the gateway",
            "example": "operator",
        }
    )
    needed_role = fields.String(
        allow_none=True,
        metadata={
            "description": "The role that the verb requires; null: there is no such route",
            "example": "operator",
        },
    )


def can_i(arguments: Mapping[str, Any]) -> Response:
    """Return whether the caller's role allows a verb on a resource; Omni may still deny the request.

    Raises 422 for an unknown resource.
    """
    name, verb = arguments["resource"], arguments["verb"]
    plugins = current_gateway().plugins
    if name not in plugins:
        raise Problem(422, "validation", errors={"resource": [f"No resource {name!r}{did_you_mean(name, plugins)}"]})
    needed = plugins[name].roles.get("list" if verb == WATCH else verb)
    caller = current_principal()
    return json_response(
        {
            "allowed": needed is not None and caller.may(needed),
            "resource": name,
            "verb": verb,
            "role": caller.role_name,
            "needed_role": needed.value if needed else None,
        },
        headers={"Cache-Control": "no-store"},
    )


def blueprint() -> GatewayBlueprint:
    """Return the blueprint of can-i."""
    routes = GatewayBlueprint(
        "auth/can-i",
        __name__,
        description="Whether the caller's role allows a verb on a resource.",
        tag=Tag("Identity and access", "Permissions"),
    )
    route = Route(
        method="GET",
        rule=f"{API_PREFIX}/auth/can-i",
        operation_id="can_i",
        role=Role.READER,
        authorized_by_omni=True,
        view=can_i,
        summary="Check whether your role allows a verb on a resource",
        description="By the roles that guard the routes; Omni is not asked, and may still deny the request.",
        request=Request(query=CanIQuery()),
        responses=Responses(answers={200: (CanISchema, "The answer")}, problems={422: "A parameter is invalid"}),
    )
    add(routes, route)
    return routes
