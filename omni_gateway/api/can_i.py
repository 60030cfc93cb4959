"""``/api/v1/auth/can-i``: what the caller may do, from the very mapping that guards the routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response
from marshmallow import fields

from omni_gateway.auth import Role
from omni_gateway.http.guard import current_principal
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.problems import Problem
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.rest.links import API_PREFIX
from omni_gateway.rest.plugin import VERBS
from omni_gateway.rest.views.openapi import documented
from omni_gateway.rest.views.responses import json_response
from omni_gateway.sdk import SpecSchema
from omni_gateway.sdk.actions import current_gateway

WATCH = "watch"


class CanIQuery(ma.Schema):
    """What is asked."""

    resource = fields.String(required=True, metadata={"description": "Name of a resource, as `/api/v1` lists it"})
    verb = fields.String(
        required=True,
        validate=ma.validate.OneOf((*VERBS, WATCH)),
        metadata={"description": "What to do with it"},
    )


class CanISchema(SpecSchema):
    """Whether the caller may."""

    allowed = fields.Boolean()
    resource = fields.String()
    verb = fields.String()
    role = fields.String(metadata={"description": "The caller's role"})
    needed_role = fields.String(
        allow_none=True, metadata={"description": "The least role that may; null where nobody may"}
    )


def can_i(arguments: Mapping[str, Any]) -> Response:
    """Answer whether the caller may do something with a resource; Omni has a say of its own besides."""
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
    """Return the blueprint of the question."""
    routes = GatewayBlueprint("auth/can-i", __name__, description="What the caller may do")
    view = documented(
        routes,
        can_i,
        role=Role.READER,
        authorized_by_omni=True,
        operation_id="can_i",
        summary="Ask whether you may do something",
        query=CanIQuery(),
        answers={200: (CanISchema, "The answer")},
        problems={422: "A parameter is wrong"},
    )
    routes.add_url_rule(f"{API_PREFIX}/auth/can-i", endpoint="can-i", view_func=view, methods=["GET"])
    return routes
