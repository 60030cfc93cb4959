"""Create an object: the view of a collection's POST, also used by PUT with ``If-None-Match: *``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response

from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.rest.actions import DryRunResult
from omni_gateway.rest.adapters.base import FoundExisting, ResourceAdapter
from omni_gateway.rest.errors import MISSING
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.links import object_url
from omni_gateway.rest.machine_names import machine_id, with_machine_ids
from omni_gateway.rest.masked_secrets import with_stored_secrets
from omni_gateway.rest.operations import Operation
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.views.responses import dry_run_response, object_response, operation_response

#: Seconds between the reads of a new object, 3 s in all.
READ_DELAYS = (0.01, 0.04, 0.1, 0.25, 0.6, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Creation:
    """The adapter and representation that a create view uses.

    ``operation`` is the name of the operation kind that shows how a new object comes up, ``started`` that of the
    operation that a POST returns; both may be empty.
    """

    adapter: ResourceAdapter
    representation: Representation
    operation: str = ""
    started: str = ""


def post_view(creation: Creation) -> Callable[..., Response]:
    """Return the view that creates an object.

    It responds 201 with ``Location`` and the stored object. An adapter may also return an existing object (200) or an
    operation (202); see :meth:`ResourceAdapter.create`.
    """

    def post(arguments: Mapping[str, Any], body: Mapping[str, Any]) -> Response:
        if creation.adapter.ids_are_machines and body.get("id"):
            body = {**body, "id": machine_id(body["id"])}
        return create(creation, body, dry_run=arguments["dry_run"])

    return post


def create(creation: Creation, body: Mapping[str, Any], *, dry_run: bool, id: str = "") -> Response:
    """Create an object and return the response.

    :param body: the validated body.
    :param dry_run: run every check, write nothing and return the dry-run result.
    :param id: the id that the object must have; empty for any.

    Raises 409 if an object of this id exists, 422 if the body's members make another id than ``id``, and the problems
    of the adapter.
    """
    schema, representation = creation.representation.schema, creation.representation
    adapter = current_gateway().bound(creation.adapter)
    wanted = schema.to_resource(body, type=adapter.type, namespace=adapter.namespace)
    wanted.labels = with_machine_ids(wanted.labels)
    wanted.spec = with_stored_secrets(schema, wanted.spec, {})
    extras = {name: body[name] for name in schema.request_only if body.get(name) is not None}
    if wanted.id and not adapter.unreadable:
        # Before `check` and before Omni: for an existing object Omni would report errors in the new spec instead.
        _refuse_existing(adapter, wanted.id, representation.url(wanted.id))
    adapter.check(wanted, None, extras)
    if id and wanted.id != id:
        raise Problem(422, "validation", errors={"id": [f"The object's members make the id {wanted.id!r}."]})
    if dry_run:
        adapter.predict(wanted, None)
        result = DryRunResult(None, wanted, additional_objects=adapter.additional_objects(wanted, extras))
        # A PUT, which names an id, answers with the object: it may as well replace one.
        return dry_run_response(representation, result, operation="" if id else creation.started)
    created = adapter.create(wanted, extras)
    if created is None:
        created = wanted if adapter.unreadable else read_created(adapter, wanted)
    return _response(creation, created)


def read_created(adapter: ResourceAdapter, wanted: Resource) -> Resource:
    """Return the stored form of a new object; retries for three seconds while the back end does not return it.

    Omni reads from a cache of its own that may lag behind its writes for a moment. Raises the back end's not-found
    error after the last attempt.
    """
    for delay in READ_DELAYS:
        try:
            return adapter.get_written(wanted)
        except MISSING:
            time.sleep(delay)
    return adapter.get(wanted.id)


def _response(creation: Creation, created: Resource | Operation | FoundExisting) -> Response:
    if isinstance(created, Operation):
        return operation_response(created)
    new = not isinstance(created, FoundExisting)
    resource = created.resource if isinstance(created, FoundExisting) else created
    headers = {"Location": creation.representation.url(resource.id)}
    if creation.operation:
        headers["Operation-Location"] = object_url("operations", creation.operation, resource.id)
    return object_response(creation.representation, resource, status=201 if new else 200, headers=headers)


def _refuse_existing(adapter: ResourceAdapter, id: str, url: str) -> None:
    """Raise 409 with the object's URL in ``Location`` if an object of this id exists."""
    try:
        existing = adapter.get(id)
    except MISSING:
        return
    if existing.tearing_down:
        raise Problem(409, "tearing-down", f"An object {id!r} is still being removed.", headers={"Location": url})
    raise Problem(409, "exists", f"Object {id!r} exists already.", headers={"Location": url})
