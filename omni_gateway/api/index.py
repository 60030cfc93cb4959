"""``/api/v1``: the index of resources and of the verbs that the caller's role allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from marshmallow import fields

import omni_gateway
from omni_gateway.auth import Principal, Role
from omni_gateway.http.guard import current_principal
from omni_gateway.http.openapi.tags import Tag
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.plugins.discovery import Found
from omni_gateway.rest.links import API_PREFIX
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.responses import json_response
from omni_gateway.rest.views.route import Responses, Route
from omni_gateway.sdk import SDK_VERSION, SpecSchema


class IndexResourceSchema(SpecSchema):
    """One resource."""

    name = fields.String(
        metadata={"description": "Name of the resource: the path of its URLs below `/api/v1`", "example": "clusters"}
    )
    description = fields.String(
        metadata={
            "description": "What the resource's objects are",
            "example": "Kubernetes on machines that run Talos",
        }
    )
    verbs = fields.List(
        fields.String(), metadata={"description": "Verbs that the caller's role allows", "example": ["list", "get"]}
    )
    plugin = fields.String(
        metadata={
            "description": "Distribution and version that the resource comes from",
            "example": "omni-gateway 0.1.0",
        }
    )
    url = fields.String(metadata={"description": "Relative URL of the resource", "example": "/api/v1/clusters"})


class IndexSchema(SpecSchema):
    """The gateway's version and its resources."""

    name = fields.String(
        metadata={"description": "Name of the program, always `omni-gateway`", "example": "omni-gateway"}
    )
    version = fields.String(metadata={"description": "Version of the gateway", "example": "0.1.0"})
    sdk_version = fields.String(
        metadata={"description": "Version of the plugin SDK that this gateway has", "example": "2.0.0"}
    )
    resources = fields.List(
        fields.Nested(IndexResourceSchema),
        metadata={"description": "The resources that this gateway serves, by plugin"},
    )
    links = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="_links",
        metadata={
            "description": "Relative URLs of the OpenAPI document, the page that shows it, and the health report"
        },
    )


def blueprint(found: Sequence[Found]) -> GatewayBlueprint:
    """Return the blueprint of the API's root."""
    routes = GatewayBlueprint(
        "index",
        __name__,
        description="The resources of this gateway, and the verbs that the caller may use.",
        tag=Tag("This gateway"),
    )

    def get_index(arguments: Mapping[str, Any]) -> Response:
        caller = current_principal()
        document = {
            "name": "omni-gateway",
            "version": omni_gateway.__version__,
            "sdk_version": SDK_VERSION,
            "resources": [_resource(item, caller) for item in found if _has_routes(item)],
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
        description="Each resource has the verbs that the caller's role allows; Omni may still deny a request.",
        responses=Responses(answers={200: (IndexSchema, "The resources")}),
    )
    add(routes, route)
    return routes


def _has_routes(found: Found) -> bool:
    """Return False for a plugin without a URL of its own, such as one that only extends others."""
    return found.plugin is not None and bool(found.plugin.blueprint.deferred_functions)


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
