"""``/api/v1/operations/<kind>/<id>``: long work, derived from Omni's own status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from flask import Response

from omni_gateway.http.auth import Role
from omni_gateway.http.nearest import did_you_mean
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.problems import Problem
from omni_gateway.sdk import fields
from omni_gateway.sdk.context import Gateway, current_gateway
from omni_gateway.sdk.operations import (
    OPERATIONS_URL,
    OperationSchema,
    wait_for_change,
)
from omni_gateway.sdk.views.answering import json_response, retry_after
from omni_gateway.sdk.views.documenting import documented

MAX_WAIT_SECONDS = 60


class WaitQuery(ma.Schema):
    """Query of an operation."""

    wait = fields.Duration(
        metadata={
            "description": f"Hold the answer until the operation changes or ends: `30s`, at most {MAX_WAIT_SECONDS}s"
        }
    )


def _seconds(text: str | None) -> float:
    seconds = float(text[:-1]) if text else 0.0
    if seconds > MAX_WAIT_SECONDS:
        raise Problem(422, "validation", errors={"wait": [f"Must be at most {MAX_WAIT_SECONDS}s."]})
    return seconds


def get_operation(arguments: Mapping[str, Any], kind: str, id: str) -> Response:
    """Answer how far an operation is."""
    gateway = current_gateway()
    found = gateway.operations.get(kind)
    if found is None:
        hint = f"Kinds: {', '.join(sorted(gateway.operations))}."
        detail = f"No operation kind {kind!r}{did_you_mean(kind, gateway.operations)}"
        raise Problem(404, "not-found", detail, hint=hint)
    operation = wait_for_change(lambda: found.read(gateway.omni, id), _seconds(arguments.get("wait")))
    return json_response(operation.document(), headers={"Cache-Control": "no-store", **retry_after(operation)})


def blueprint(gateway: Gateway) -> GatewayBlueprint:
    """Return the blueprint; it is made per application, for it documents the kinds that its plugins brought."""
    kinds = "\n".join(
        f"- `{kind.name}`: {kind.summary}" for kind in sorted(gateway.operations.values(), key=lambda k: k.name)
    )
    routes = GatewayBlueprint("operations", __name__, url_prefix=OPERATIONS_URL, description="Long work")
    view = documented(
        routes,
        get_operation,
        role=Role.READER,
        operation_id="get_operation",
        summary="Read how far an operation is",
        description=f"Kinds:\n\n{kinds}",
        query=WaitQuery(),
        answers={200: (OperationSchema, "The operation")},
        problems={404: "No such operation", 422: "A parameter is wrong"},
    )
    routes.add_url_rule("/<kind>/<id>", endpoint="operation", view_func=view, methods=["GET"])
    return routes
