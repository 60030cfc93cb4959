"""Responses and precondition checks that all views share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson
from flask import Response, request

from omni_gateway.http import etags, mergepatch
from omni_gateway.http.openapi import dry_run
from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.rest.actions import DryRunResult
from omni_gateway.rest.cache_headers import cache_headers
from omni_gateway.rest.gateway import current_gateway
from omni_gateway.rest.operations import RETRY_AFTER_SECONDS, Operation, planned
from omni_gateway.rest.representation import Representation


def json_response(body: bytes | Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response; ``body`` is a mapping, a sequence or JSON that is encoded already."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return Response(data, status, headers=dict(headers or {}), mimetype="application/json")


def object_response(
    representation: Representation,
    resource: Resource,
    *,
    status: int = 200,
    fields: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an object with its entity tag; ``fields``: dotted paths of the members to return; none means all."""
    render = partial(current_gateway().bodies.body, representation, resource, fields)
    head = {**cache_headers(), "Vary": "Accept", **(headers or {})}
    return tagged_response(representation.etag(resource, fields), head, render, status=status)


def content_response(answer: bytes | Any) -> Response:
    """Return JSON with the entity tag of its content: a mapping, a sequence, or JSON that is encoded already."""
    body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
    return tagged_response(etags.of_content(body), {**cache_headers(), "Vary": "Accept"}, lambda: body)


def tagged_response(
    tag: str, headers: Mapping[str, str], render: Callable[[], bytes], *, status: int = 200
) -> Response:
    """Return the JSON that ``render`` makes, with its entity tag ``tag``.

    Returns 304 without a body for a GET or HEAD whose If-None-Match names the tag (RFC 9110 §13.1.2).
    """
    head = {"ETag": tag, **headers}
    if request.method in ("GET", "HEAD") and etags.if_none_match(request, tag):
        return Response(status=304, headers=head)
    return json_response(render(), status, head)


def retry_after(operation: Operation) -> dict[str, str]:
    """Return the ``Retry-After`` header of an operation (2 seconds); no header once it has ended."""
    return {} if operation.done else {"Retry-After": str(RETRY_AFTER_SECONDS)}


def operation_response(operation: Operation) -> Response:
    """Return 202 with the operation, its URL and, while it runs, ``Retry-After``."""
    head = {"Location": operation.url, "Operation-Location": operation.url, **retry_after(operation)}
    return json_response(operation.document(), 202, head)


def dry_run_response(representation: Representation, result: DryRunResult, *, operation: str = "") -> Response:
    """Return the response to a dry run: it has the type of the real one, and the member ``_dry_run``.

    :param operation: the kind of the operation that the real request starts; empty for none.

    The diff is the JSON Patch (RFC 6902) from the object's present document to the one after the write; a removal leads
    to an empty one.
    """
    before, after = (None if item is None else representation.document(item) for item in (result.before, result.after))
    changes = {
        "diff": mergepatch.diff(before or {}, after or {}),
        "also": [_as_stored(resource) for resource in result.additional_objects],
        "also_deleted": [{"type": resource.type, "id": resource.id} for resource in result.also_deleted],
    }
    answer = result.answer or after or before
    if operation:
        resource = result.after or result.before
        id = resource.id if resource else ""
        answer = planned(operation, id, representation.url(id) if id else None).document()
        answer["details"] = dict(result.answer or {})
    return json_response({**(answer or {}), dry_run.MEMBER: changes})


def _as_stored(resource: Resource) -> dict[str, Any]:
    """Return an object of another type in the back end's own form, since its schema is not known here."""
    names = ("type", "namespace", "id", "labels", "annotations", "spec")
    return {name: getattr(resource, name) for name in names}


def check_tags(representation: Representation, resource: Resource) -> None:
    """Raise 412 if If-Match or If-None-Match fails for an object (RFC 9110 §13.2.2)."""
    tag = representation.etag(resource)
    if etags.if_match_fails(request, tag):
        raise Problem(
            412,
            "stale-precondition",
            "The object has changed since it was read.",
            hint="Read it again and repeat the change; the current entity tag is in the ETag header.",
            headers={"ETag": tag},
        )
    _check_none_match(representation, resource, tag)


def check_none_match(representation: Representation, resource: Resource) -> None:
    """Raise 412 if If-None-Match names the entity tag of an existing object, or is ``*``."""
    _check_none_match(representation, resource, representation.etag(resource))


def _check_none_match(representation: Representation, resource: Resource, tag: str) -> None:
    if etags.if_none_match(request, tag):
        raise already_there(resource.id, representation.url(resource.id), tag)


def already_there(id: str, url: str, tag: str = "") -> Problem:
    """Return the 412 of a failed If-None-Match; ``url`` and ``tag`` are those of the existing object."""
    headers = {"Location": url} | ({"ETag": tag} if tag else {})
    return Problem(412, "stale-precondition", f"Object {id!r} exists, so If-None-Match fails.", headers=headers)


def check_preconditions(representation: Representation, resource: Resource) -> None:
    """Raise 412 if a precondition of the request fails, then 409 if the object is tearing down."""
    check_tags(representation, resource)
    if resource.tearing_down:
        raise Problem(409, "tearing-down", f"{resource.id!r} is being removed and takes no writes.")
