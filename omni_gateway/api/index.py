"""``/api/v1``: the index of resources and of the verbs that the caller's role allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from marshmallow import fields

import omni_gateway
from omni_gateway.auth import Principal, Role
from omni_gateway.discovery import Found
from omni_gateway.http.guard import current_principal
from omni_gateway.http.openapi.tags import Tag
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.rest.links import API_PREFIX
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.responses import json_response
from omni_gateway.rest.views.route import Responses, Route
from omni_gateway.sdk import SDK_VERSION, SpecSchema


class IndexResourceSchema(SpecSchema):
    """One resource."""

    name = fields.String()
    description = fields.String()
    verbs = fields.List(fields.String(), metadata={"description": "Verbs that the caller's role allows"})
    plugin = fields.String(metadata={"description": "Distribution and version that the resource comes from"})
    url = fields.String()


class IndexSchema(SpecSchema):
    """The gateway's version and its resources."""

    name = fields.String()
    version = fields.String()
    sdk_version = fields.String()
    resources = fields.List(fields.Nested(IndexResourceSchema))
    links = fields.Dict(keys=fields.String(), values=fields.String(), data_key="_links")


def blueprint(found: Sequence[Found]) -> GatewayBlueprint:
    """Return the blueprint of the API's root."""
    routes = GatewayBlueprint("index", __name__, description="Index of resources", tag=Tag("This gateway"))

    def get_index(arguments: Mapping[str, Any]) -> Response:
        caller = current_principal()
        document = {
            "name": "omni-gateway",
            "version": omni_gateway.__version__,
            "sdk_version": SDK_VERSION,
            "resources": [_resource(item, caller) for item in found if item.plugin],
            "_links": {"openapi": "/openapi.json", "ui": "/", "health": "/health"},
        }
        return json_response(document)

    route = Route(
        method="GET",
        rule=API_PREFIX,
        operation_id="get_index",
        role=Role.READER,
        authorized_by_omni=True,
        view=get_index,
        summary="List the resources and what you may do with them",
        responses=Responses(answers={200: (IndexSchema, "The resources")}),
    )
    add(routes, route)
    return routes


def _resource(found: Found, caller: Principal) -> dict[str, Any]:
    plugin = found.plugin
    assert plugin is not None
    return {
        "name": plugin.name,
        "description": plugin.blueprint.description,
        "verbs": [verb for verb, needed in plugin.roles.items() if caller.may(needed)],
        "plugin": f"{found.distribution} {found.version}",
        "url": f"{API_PREFIX}/{plugin.name}",
    }
