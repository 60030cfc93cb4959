"""GET, PUT, PATCH and DELETE of one object."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import marshmallow as ma
from flask import Response, request

from omni_gateway.auth import Role
from omni_gateway.http import etags, mergepatch
from omni_gateway.http.guard import check_role
from omni_gateway.http.internal_requests import KNOWN
from omni_gateway.http.parser import strict_json
from omni_gateway.http.problems import Problem
from omni_gateway.model.query import ListQuery
from omni_gateway.model.resource import Resource
from omni_gateway.omni import errors
from omni_gateway.rest import cluster_lock
from omni_gateway.rest.actions import DryRunResult
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import unscoped
from omni_gateway.rest.errors import MISSING
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.machine_names import machine_id, with_machine_ids
from omni_gateway.rest.masked_secrets import with_stored_secrets
from omni_gateway.rest.operations import OperationKind
from omni_gateway.rest.parameters import parse_fields
from omni_gateway.rest.representation import Representation
from omni_gateway.rest.unset import without_unset
from omni_gateway.rest.update import update
from omni_gateway.rest.views import create
from omni_gateway.rest.views.actions import respond
from omni_gateway.rest.views.create import Creation
from omni_gateway.rest.views.responses import (
    already_there,
    check_none_match,
    check_preconditions,
    check_tags,
    dry_run_response,
    object_response,
    operation_response,
)
from omni_gateway.rest.views.watch import watch_response
from omni_gateway.watch import stream_response

PATCH_TYPES = ("application/merge-patch+json", "application/json")
#: Seconds between the reads by which a DELETE finds out whether the object is gone (204); after 0.2 s in all it returns
#: an operation (202).
DELETE_POLL_DELAYS = (0.005, 0.015, 0.03, 0.05, 0.1)


def patch_content(schema: ma.Schema) -> dict[str, Any]:
    """Return the body of a PATCH for the OpenAPI document: a merge patch of an object of ``schema``."""
    return {PATCH_TYPES[0]: {"schema": schema, "example": {"labels": {"env": "prod"}}}}


@dataclass(frozen=True, slots=True)
class Item:
    """The adapter and the representation that the views of one object use."""

    adapter: ResourceAdapter
    representation: Representation
    #: How PUT with ``If-None-Match: *`` creates a missing object; None: PUT never creates.
    creation: Creation | None = None
    #: Returns the role that such a create requires.
    create_role: Callable[[], Role] | None = None

    @property
    def bound(self) -> ResourceAdapter:
        """Return the adapter for a request that writes: it reads from Omni, never from the cache."""
        return current_gateway().bound(self.adapter)

    @property
    def reading(self) -> ResourceAdapter:
        """Return the adapter for a request that only reads: it may read from the cache."""
        return current_gateway().reading(self.adapter)


def get_view(item: Item) -> Callable[..., Response]:
    """Return the view that reads an object, or watches it if ``Accept`` names a stream format."""

    def get(arguments: Mapping[str, Any], id: str) -> Response:
        representation = item.representation.views[arguments["view"]]
        fields = parse_fields(arguments.get("fields"), representation.known_fields)
        media = stream_response.negotiate(request)
        if media is not None:
            return watch_response(item.reading, representation, ListQuery(), media, fields, id=id)
        return object_response(representation, item.reading.get(id), fields=fields)

    return get


def put_view(item: Item) -> Callable[..., Response]:
    """Return the view that replaces spec, labels and annotations; finalizers and owner are not changed.

    With ``If-None-Match: *`` it creates a missing object, as a POST does.
    """

    def put(arguments: Mapping[str, Any], body: Mapping[str, Any], id: str) -> Response:
        _check_id(body, id, takes_machine_name=item.adapter.ids_are_machines)
        if item.creation is not None and etags.only_if_missing(request) and not _exists(item, id):
            return _create(item, item.creation, {**body, "id": id}, dry_run=arguments["dry_run"])
        return _write(item, id, lambda _: body, dry_run=arguments["dry_run"])

    return put


def patch_view(item: Item) -> Callable[..., Response]:
    """Return the view that applies an RFC 7396 merge patch; the patched object is validated, not the patch."""

    def patch(arguments: Mapping[str, Any], id: str) -> Response:
        changes = strict_json(request, allow=PATCH_TYPES)
        if not isinstance(changes, dict):
            raise Problem(422, "validation", "A merge patch of an object is a JSON object.")

        def merged(existing: Resource) -> Mapping[str, Any]:
            schema = item.representation.schema
            document = mergepatch.apply(item.representation.writable(existing), schema.without_aliases(changes))
            _keep_nulls_of_locks(document, changes)
            try:
                loaded: Mapping[str, Any] = schema.load(document)
            except ma.ValidationError as error:
                raise Problem.from_validation(error, schema=item.representation.schema) from error
            _check_id(loaded, id)
            return loaded

        return _write(item, id, merged, dry_run=arguments["dry_run"])

    return patch


def delete_view(item: Item, destroy: OperationKind) -> Callable[..., Response]:
    """Return the view that removes an object.

    It responds 204 if the object is gone within :data:`DELETE_POLL_DELAYS`, else 202 with an operation of the kind
    ``destroy``.
    """

    def delete(arguments: Mapping[str, Any], id: str) -> Response:
        adapter = item.bound
        existing = request.environ.get(KNOWN) or adapter.get(id)
        if existing.tearing_down:
            # A retried DELETE still carries the entity tag from before the teardown, so If-Match is not checked.
            check_none_match(item.representation, existing)
        else:
            check_tags(item.representation, existing)
        if arguments["dry_run"]:
            adapter.refuse_owned(existing)
            adapter.predict(None, existing)
            adapter.check_delete_with(existing, arguments)
            result = DryRunResult(existing, None, also_deleted=adapter.also_deleted(existing, arguments))
            return dry_run_response(item.representation, result, operation=destroy.name)
        # An object that is tearing down is deleted again only if no finalizer is left: Omni 1.7 does not finish the
        # removal of most types by itself. While a finalizer is left, a second delete is of use only with `force`.
        if not existing.tearing_down or not existing.finalizers or arguments.get("force"):
            adapter.delete_with(existing, arguments)
        if _gone(adapter, id):
            return Response(status=204)
        source = unscoped(adapter) if destroy.takes_adapter else current_gateway().omni
        return operation_response(destroy.read(source, id))

    return delete


def _check_id(body: Mapping[str, Any], id: str, *, takes_machine_name: bool = False) -> None:
    """Raise 422 if the body names another object than the URL."""
    given = body.get("id", id)
    if given != id and not (takes_machine_name and machine_id(given) == id):
        raise Problem(422, "validation", errors={"id": [f"Must be {id!r}, as in the URL; an id never changes."]})


def _exists(item: Item, id: str) -> bool:
    try:
        item.bound.get(id)
    except MISSING:
        return False
    return True


def _create(item: Item, creation: Creation, body: Mapping[str, Any], *, dry_run: bool) -> Response:
    """Create an object for a PUT.

    Raises 401 or 403 without the create role, and 412 if another caller has created the object in the meantime: for
    ``If-None-Match: *`` that is a failed precondition, where a POST would respond 409.
    """
    if item.create_role is not None:
        check_role(item.create_role(), authorized_by_omni=item.adapter.authorized_by_omni)
    try:
        return create.create(creation, body, dry_run=dry_run, id=body["id"])
    except errors.AlreadyExists:
        raise already_there(body["id"], item.representation.url(body["id"])) from None
    except Problem as problem:
        if problem.code != "exists":
            raise
        raise already_there(body["id"], item.representation.url(body["id"])) from None


def _write(item: Item, id: str, change: Callable[[Resource], Mapping[str, Any]], *, dry_run: bool) -> Response:
    """Write the caller's change to an object; the request's preconditions are checked on every version read."""

    def mutate(existing: Resource) -> Resource:
        check_preconditions(item.representation, existing)
        return _overlay(item, existing, change(existing))

    written = update(item.bound, id, mutate, dry_run=dry_run, known=request.environ.get(KNOWN))
    return respond(item.representation, written)


def _overlay(item: Item, existing: Resource, loaded: Mapping[str, Any]) -> Resource:
    """Return the object with the caller's spec, labels and annotations; fields that the schema cannot write are kept.

    Raises 422 for fields that only a POST takes (``request_only``), and for a mask of a secret that is not set.
    """
    schema = item.representation.schema
    if create_only := sorted(schema.request_only & loaded.keys()):
        raise Problem(422, "validation", errors={name: ["Can be given on POST only."] for name in create_only})
    new = schema.to_resource({**loaded, "id": existing.id})
    new_spec = with_stored_secrets(schema, new.spec, existing.spec)
    if not item.adapter.distinguishes_zero_from_unset:
        new_spec = without_unset(new_spec, existing.spec)
    spec = {**schema.unknown_spec(existing.spec), **new_spec}
    annotations = cluster_lock.with_locks(
        {**(loaded.get("annotations") or {}), **new.annotations}, existing.annotations
    )
    return replace(existing, spec=spec, labels=with_machine_ids(new.labels), annotations=annotations)


def _keep_nulls_of_locks(document: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Put the nulls by which a merge patch removes a lock back into the patched document.

    The patched document merely lacks such a key, and :func:`_overlay` keeps a lock whose key is missing.
    """
    annotations = changes.get("annotations")
    if isinstance(annotations, Mapping):
        removed = {key: None for key in cluster_lock.LOCKS if key in annotations and annotations[key] is None}
        document["annotations"] = {**(document.get("annotations") or {}), **removed}


def _gone(adapter: ResourceAdapter, id: str) -> bool:
    for delay in (0.0, *DELETE_POLL_DELAYS):
        time.sleep(delay)
        try:
            adapter.get(id)
        except MISSING:
            return True
    return False
