"""POST of a collection."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response

from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.rest.adapters.base import FoundExisting, ResourceAdapter
from omni_gateway.rest.errors import MISSING
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.links import object_url
from omni_gateway.rest.operations import Operation
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.views.responses import dry_run_response, object_response, operation_response

#: Seconds between looks for an object that was just made.
LOOKS = (0.01, 0.04, 0.1, 0.25, 0.6, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Creation:
    """What a create view needs; ``operation`` names the operation kind that follows a new object, if any."""

    adapter: ResourceAdapter
    representation: Representation
    operation: str = ""


def post_view(creation: Creation) -> Callable[..., Response]:
    """Return the view that creates an object: 201, where it is, and the object as the back end holds it.

    An adapter may say that the object was there (200) or will come (202); see :meth:`ResourceAdapter.create`.
    """

    def post(arguments: Mapping[str, Any], body: Mapping[str, Any]) -> Response:
        return create(creation, body, dry_run=arguments["dry_run"])

    return post


def create(creation: Creation, body: Mapping[str, Any], *, dry_run: bool, id: str = "") -> Response:
    """Create the object of a validated body and answer the request in flight with it.

    ``id``: the one that it must get; 422 where its members make another.
    """
    schema, representation = creation.representation.schema, creation.representation
    adapter = current_gateway().bound(creation.adapter)
    wanted = schema.to_resource(body, type=adapter.type, namespace=adapter.namespace)
    extras = {name: body[name] for name in schema.request_only if body.get(name) is not None}
    if wanted.id and not adapter.unreadable:
        _refuse_existing(adapter, wanted.id, representation.url(wanted.id))
    adapter.check(wanted, None, extras)
    if id and wanted.id != id:
        raise Problem(422, "validation", errors={"id": [f"The object's members make the id {wanted.id!r}."]})
    if dry_run:
        adapter.foresee(wanted, None)
        return dry_run_response(
            None, representation.document(wanted), additional_objects=adapter.additional_objects(wanted, extras)
        )
    made = adapter.create(wanted, extras)
    if made is None:
        made = wanted if adapter.unreadable else held(adapter, wanted)
    return _made(creation, made)


def held(adapter: ResourceAdapter, wanted: Resource) -> Resource:
    """Read an object that was just made; the back end's not-found error when it does not show for three seconds.

    A real Omni reads from a cache that may be behind its own writes for a moment.
    """
    for pause in LOOKS:
        try:
            return adapter.get_written(wanted)
        except MISSING:
            time.sleep(pause)
    return adapter.get(wanted.id)


def _made(creation: Creation, made: Resource | Operation | FoundExisting) -> Response:
    if isinstance(made, Operation):
        return operation_response(made)
    new = not isinstance(made, FoundExisting)
    resource = made.resource if isinstance(made, FoundExisting) else made
    headers = {"Location": creation.representation.url(resource.id)}
    if creation.operation:
        headers["Operation-Location"] = object_url("operations", creation.operation, resource.id)
    return object_response(creation.representation, resource, status=201 if new else 200, headers=headers)


def _refuse_existing(adapter: ResourceAdapter, id: str, url: str) -> None:
    """Answer 409 with the way to the object; Omni would rather speak of a spec that it finds wrong."""
    try:
        existing = adapter.get(id)
    except MISSING:
        return
    if existing.tearing_down:
        raise Problem(409, "tearing-down", f"An object {id!r} is still being removed.", headers={"Location": url})
    raise Problem(409, "exists", f"There is an object {id!r} already.", headers={"Location": url})
