"""Add routes to a blueprint: the only module that stacks view decorators."""

from __future__ import annotations

from typing import Any

from omni_gateway.http.guard import require_role
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.rest.machine_names import by_machine_name
from omni_gateway.rest.views.cached_response import use_response_cache
from omni_gateway.rest.views.openapi import operation
from omni_gateway.rest.views.route import Route

_STREAM_MARK = "__may_stream__"


def add(blueprint: GatewayBlueprint, route: Route) -> None:
    """Guard, parse, cache and document a route's view, and add it to the blueprint.

    The order of the decorators matters, and a wrong one fails silently. A request passes the last one first: its role
    is checked, then the response cache may respond, then a machine's host name is resolved, then the query is parsed,
    then the body.
    """
    parser = blueprint.ARGUMENTS_PARSER
    view = blueprint.doc(**operation(route))(route.view)
    if route.request.body is not None:
        view = parser.use_args(route.request.body, location="json")(view)
    view = parser.use_args(route.request.query, location="query")(view)
    if route.takes_machine_name:
        view = by_machine_name(view)
    if route.conditional:
        view = use_response_cache(view)
    view = require_role(route.role, authorized_by_omni=route.authorized_by_omni)(view)
    setattr(view, _STREAM_MARK, route.responses.may_be_stream)
    blueprint.add_url_rule(route.rule, route.operation_id, view, methods=[route.method], defaults=dict(route.defaults))


def may_stream(view: Any) -> bool:
    """Return whether a view was added here and may respond with a stream of events."""
    return bool(getattr(view, _STREAM_MARK, False))
