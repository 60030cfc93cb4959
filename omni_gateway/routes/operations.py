"""``/api/v1/operations/<kind>/<id>``: long work, derived from Omni's own status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import marshmallow as ma
import orjson
from flask import Response
from marshmallow import fields

from omni_gateway.auth import Role
from omni_gateway.http.caching import cache_headers
from omni_gateway.http.concealment import PlainNotFound
from omni_gateway.http.guard import current_principal
from omni_gateway.http.nearest import did_you_mean
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.problems import Problem
from omni_gateway.omni import deadline
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.context import Gateway, current_gateway
from omni_gateway.sdk.operations import (
    OPERATIONS_URL,
    OperationSchema,
    wait_for_change,
)
from omni_gateway.sdk.query import NoQuery
from omni_gateway.sdk.schema import SpecSchema
from omni_gateway.sdk.scoping import may_ask
from omni_gateway.sdk.views.answering import json_response, retry_after
from omni_gateway.sdk.views.documenting import documented

MAX_WAIT_SECONDS = 60


class WaitQuery(ma.Schema):
    """Query of an operation."""

    wait = wire.Duration(
        metadata={
            "description": f"Hold the answer until the operation changes or ends: `30s`, at most {MAX_WAIT_SECONDS}s;"
            " answered at once where as many streams and waits are open as may be"
        }
    )


def _seconds(text: str | None) -> float:
    seconds = float(text[:-1]) if text else 0.0
    if seconds > MAX_WAIT_SECONDS:
        raise Problem(422, "validation", errors={"wait": [f"Must be at most {MAX_WAIT_SECONDS}s."]})
    return seconds


@contextmanager
def _place_to_wait(gateway: Gateway, seconds: float) -> Iterator[bool]:
    """Tell whether there is one: who waits holds a thread as a stream does, and is counted as one."""
    if not seconds:
        yield False
        return
    try:
        leave = gateway.streams.take(current_principal().id)
    except Problem:
        yield False
        return
    try:
        yield True
    finally:
        leave()


def get_operation(arguments: Mapping[str, Any], kind: str, id: str) -> Response:
    """Answer how far an operation is."""
    gateway = current_gateway()
    found = gateway.operations.get(kind)
    if found is None:
        hint = f"Kinds: {', '.join(sorted(gateway.operations))}."
        detail = f"No operation kind {kind!r}{did_you_mean(kind, gateway.operations)}"
        raise PlainNotFound(detail, hint)
    gateway.demand_operations(kind)
    about = gateway.operated_by.get(kind)
    omni = gateway.reader
    if about is not None and not may_ask(gateway.reading(about), found.subject(id)):
        omni = omni.holding_nothing()  # so the answer is the one that an object which does not exist gives
    seconds = _seconds(arguments.get("wait"))
    with _place_to_wait(gateway, seconds) as free:
        deadline.extend(seconds)
        operation = wait_for_change(lambda: found.read(omni, id), seconds if free else 0.0)
    return json_response(
        operation.document(), headers={"Cache-Control": "no-store", **cache_headers(), **retry_after(operation)}
    )


class OperationKindSchema(SpecSchema):
    """A sort of long work."""

    kind = fields.String()
    summary = fields.String()
    role = fields.String(metadata={"description": "The least role that may read one"})
    url = fields.String(metadata={"description": "Where one is; `{id}` is what is worked on"})


def list_kinds(arguments: Mapping[str, Any]) -> Response:
    """Answer which sorts of long work there are; each is derived from Omni's state, so there is no list of runs."""
    gateway = current_gateway()
    told = [
        {
            "kind": kind.name,
            "summary": kind.summary,
            "role": gateway.operation_roles[kind.name].value,
            "url": f"{OPERATIONS_URL}/{kind.name}/{{id}}",
        }
        for kind in sorted(gateway.operations.values(), key=lambda kind: kind.name)
    ]
    return json_response(orjson.dumps(told))


def blueprint(gateway: Gateway) -> GatewayBlueprint:
    """Return the blueprint; it is made per application, for it documents the kinds that its plugins brought."""
    kinds = "\n".join(
        f"- `{kind.name}` ({gateway.operation_roles[kind.name].value}): {kind.summary}"
        for kind in sorted(gateway.operations.values(), key=lambda k: k.name)
    )
    routes = GatewayBlueprint("operations", __name__, url_prefix=OPERATIONS_URL, description="Long work")
    view = documented(
        routes,
        get_operation,
        role=Role.READER,
        omni_decides=True,
        operation_id="get_operation",
        summary="Read how far an operation is",
        description=f"Kinds, and the role that reading one takes:\n\n{kinds}",
        query=WaitQuery(),
        answers={200: (OperationSchema, "The operation")},
        problems={404: "No such operation", 422: "A parameter is wrong"},
    )
    listed = documented(
        routes,
        list_kinds,
        role=Role.READER,
        omni_decides=True,
        operation_id="list_operation_kinds",
        summary="List the kinds of operations",
        query=NoQuery(),
        answers={200: (OperationKindSchema(many=True), "The kinds")},
    )
    routes.add_url_rule("", endpoint="kinds", view_func=listed, methods=["GET"])
    routes.add_url_rule("/<kind>/<id>", endpoint="operation", view_func=view, methods=["GET"])
    return routes
