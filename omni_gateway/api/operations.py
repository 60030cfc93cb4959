"""``/api/v1/operations`` and ``/api/v1/operation-kinds``: long-running work, derived from Omni's own status."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import marshmallow as ma
import orjson
from flask import Flask, Response, current_app, request
from marshmallow import fields, validate

from omni_gateway.auth import Role
from omni_gateway.http import etags, pagination, paths
from omni_gateway.http.concealment import PlainNotFound
from omni_gateway.http.openapi.events import STREAMS
from omni_gateway.http.openapi.tags import Tag
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.problems import Problem
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.omni import OmniClient, deadline
from omni_gateway.omni import errors as omni_errors
from omni_gateway.rest import fields as wire
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import may_ask
from omni_gateway.rest.cache_headers import cache_headers
from omni_gateway.rest.errors import NotFound
from omni_gateway.rest.gateway import Gateway, current_gateway
from omni_gateway.rest.operations import (
    OPERATION_KINDS_URL,
    OPERATIONS_URL,
    STATES,
    Operation,
    OperationKind,
    OperationSchema,
    progress_of,
    wait_for_change,
    wait_until_done,
)
from omni_gateway.rest.parameters import FieldsQuery, parse_fields, parse_sort
from omni_gateway.rest.representation import project
from omni_gateway.rest.request_context import request_context, without_context
from omni_gateway.rest.schema import SpecSchema
from omni_gateway.rest.views.openapi import OBJECT_HEADERS
from omni_gateway.rest.views.registration import add
from omni_gateway.rest.views.responses import json_response, retry_after, tagged_response
from omni_gateway.rest.views.route import Request, Responses, Route
from omni_gateway.watch import stream_response

MAX_WAIT_SECONDS = 60
_SORTABLE = ("id", "kind", "started", "state")
_KNOWN_FIELDS = frozenset(field.data_key or name for name, field in OperationSchema().dump_fields.items())


class WaitQuery(ma.Schema):
    """Query of an operation."""

    wait = wire.Duration(
        metadata={
            "description": f"Delay the response until the operation is done: `30s`, at most {MAX_WAIT_SECONDS}s;"
            " no delay when the limit of open streams and waits is reached"
        }
    )
    until = fields.String(
        load_default="done",
        validate=validate.OneOf(["done", "change"]),
        metadata={"description": "What `wait` waits for: `done`, or any `change` of the operation"},
    )


class OperationsQuery(FieldsQuery):
    """Query of the list of operations."""

    search = fields.String(
        validate=validate.Length(min=1, max=256), metadata={"description": "Text to look for in ids and targets"}
    )
    sort = fields.String(metadata={"description": f"{', '.join(_SORTABLE)}; `-` for descending: `sort=-started,id`"})
    page = fields.Integer(
        load_default=1,
        validate=validate.Range(min=1, max=1_000_000),
        metadata={"description": "Number of the page, from 1"},
    )
    page_size = fields.Integer(
        load_default=pagination.DEFAULT_PAGE_SIZE,
        validate=validate.Range(min=1, max=pagination.MAX_PAGE_SIZE),
        metadata={"description": "Operations on a page, at most"},
    )
    kind = fields.String(validate=validate.Length(min=1, max=256), metadata={"description": "Only those of this kind"})
    target = fields.String(
        validate=validate.Length(min=1, max=1024),
        metadata={"description": "Only those on this object: its URL, or its id"},
    )
    state = fields.String(validate=validate.OneOf(STATES), metadata={"description": "Only those in this state"})


def _seconds(text: str | None) -> float:
    seconds = float(text[:-1]) if text else 0.0
    if seconds > MAX_WAIT_SECONDS:
        raise Problem(422, "validation", errors={"wait": [f"Must be at most {MAX_WAIT_SECONDS}s."]})
    return seconds


@contextmanager
def _wait_slot(gateway: Gateway, seconds: float) -> Iterator[bool]:
    """Yield True if the request may wait. A wait occupies a thread as a stream does, so it counts as one."""
    if not seconds:
        yield False
        return
    try:
        release = gateway.streams.take(request_context().principal.id)
    except Problem:
        yield False
        return
    try:
        yield True
    finally:
        release()


def get_operation(arguments: Mapping[str, Any], kind: str, id: str) -> Response:
    """Return an operation, after ``wait`` if given, or a stream of its progress.

    Raises 404 for an unknown kind or operation, 403 if the caller may not read such operations.
    """
    gateway = current_gateway()
    found = gateway.operations.get(kind)
    if found is None:
        hint = f"Kinds: {', '.join(sorted(gateway.operations))}."
        detail = f"No operation kind {kind!r}{did_you_mean(kind, gateway.operations)}"
        raise PlainNotFound(detail, hint)
    source = _source_for(gateway, found, id)
    media = stream_response.negotiate(request)
    if media is not None:
        opening = _progress(lambda: found.read(source, id))
        return stream_response.stream(opening, media=media, limiter=gateway.streams)
    seconds = _seconds(arguments.get("wait"))
    wait = wait_for_change if arguments["until"] == "change" else wait_until_done
    with _wait_slot(gateway, seconds) as may_wait:
        deadline.extend(seconds)
        operation = wait(lambda: found.read(source, id), seconds if may_wait else 0.0)
    return json_response(
        operation.document(),
        headers={"Cache-Control": "no-store", "Vary": "Accept", **cache_headers(), **retry_after(operation)},
    )


def _source_for(gateway: Gateway, kind: OperationKind, id: str) -> OmniClient | ResourceAdapter:
    """Return the source of a kind's operations: a client or an adapter.

    Raises 403 if the caller's role may not read such operations. For an object outside of the caller's scope the
    response is the same as for an object that does not exist: a client that finds no objects at all is returned, and
    :class:`NotFound` raised where a plugin's adapter would be.
    """
    gateway.require_operations(kind.name)
    adapter = gateway.operated_by.get(kind.name)
    if adapter is not None and not may_ask(gateway.reading(adapter), kind.subject(id)):
        if kind.takes_adapter:
            raise NotFound(id)
        return gateway.reader.without_objects()
    return gateway.operation_source(kind)


def _progress(
    read: Callable[[], Operation],
) -> Callable[[], AbstractContextManager[Iterator[stream_response.StreamEvent]]]:
    """Return a function that opens the stream of an operation's progress, in another thread than the request's."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    environ = dict(request.environ)

    def read_in_request() -> Operation:
        # A request context of its own for each reading: the record of reads must not grow with the stream.
        with app.request_context(without_context(environ)):
            return read()

    @contextmanager
    def opened() -> Iterator[Iterator[stream_response.StreamEvent]]:
        with progress_of(read_in_request) as readings:
            yield _events(readings)

    return opened


def _events(readings: Iterator[Operation]) -> Iterator[stream_response.StreamEvent]:
    kind = "ADDED"
    for operation in readings:
        yield stream_response.StreamEvent(kind, orjson.dumps(operation.document()))
        kind = "MODIFIED"


def list_operations(arguments: Mapping[str, Any]) -> Response:
    """Return a page of the running operations on objects that the caller may read."""
    gateway = current_gateway()
    names = parse_fields(arguments.get("fields"), _KNOWN_FIELDS)
    # Whether an operation is overdue depends on the time, so the response must not be cached.
    request_context().reads.cacheable_response = False
    wanted = arguments.get("kind")
    if wanted is not None and wanted not in gateway.operations:
        text = f"No operation kind {wanted!r}{did_you_mean(wanted, gateway.operations)}"
        raise Problem(422, "validation", errors={"kind": [text]})
    kinds = [kind for name, kind in sorted(gateway.operations.items()) if wanted in (None, name)]
    found = [
        operation
        for kind in kinds
        for operation in _under_way(gateway, kind)
        if arguments.get("state") in (None, operation.state)
        and _has_target(operation, arguments.get("target"))
        and arguments.get("search", "") in f"{operation.id} {operation.target}"
    ]
    found = _sorted(found, arguments.get("sort"))
    page, size = arguments["page"], arguments["page_size"]
    headers = pagination.page_headers(
        page=page, page_size=size, total=len(found), path=paths.request_path(), args=request.args
    )
    documents = [operation.document() for operation in found[(page - 1) * size : page * size]]
    body = orjson.dumps([project(document, names) for document in documents] if names else documents)
    headers |= {"Cache-Control": "no-cache", **cache_headers()}
    return tagged_response(etags.of_content(body), headers, lambda: body)


def _sorted(found: Sequence[Operation], text: str | None) -> list[Operation]:
    """Sort by the caller's keys, then by kind and id. Raises a 422 problem for a key that is not sortable."""
    ordered = sorted(found, key=lambda operation: (operation.kind, operation.id))
    for name, descending in reversed(parse_sort(text)):
        if name not in _SORTABLE:
            text = f"Cannot sort by {name!r}; sortable fields: {', '.join(_SORTABLE)}."
            raise Problem(422, "validation", errors={"sort": [text]})
        ordered.sort(key=lambda operation, key=name: getattr(operation, key) or "", reverse=descending)  # type: ignore[misc]
    return ordered


def _under_way(gateway: Gateway, kind: OperationKind) -> Iterator[Operation]:
    """Yield the running operations of one kind that the caller may read; none if it may read no such objects."""
    adapter = gateway.operated_by.get(kind.name)
    if kind.under_way is None or not gateway.may_read_operations(kind.name):
        return
    try:
        bound = None if adapter is None else gateway.reading(adapter)
        for operation in kind.under_way(gateway.operation_source(kind)):
            if bound is None or may_ask(bound, kind.subject(operation.id)):
                yield operation
    except omni_errors.PermissionDenied:
        return
    except Problem as problem:
        if problem.status != 403:
            raise


def _has_target(operation: Operation, target: str | None) -> bool:
    if target is None:
        return True
    url = operation.target or ""
    return target in (url, url.rpartition("/")[2], operation.id)


class OperationKindSchema(SpecSchema):
    """A kind of operation."""

    kind = fields.String(
        metadata={"description": "Name of the kind, as in the URLs of its operations", "example": "cluster-destroy"}
    )
    summary = fields.String(
        metadata={"description": "What such an operation does, in one line", "example": "A cluster being removed"}
    )
    role = fields.String(
        metadata={
            "enum": [role.value for role in Role],
            "description": "The role that reading such an operation requires",
            "example": "reader",
        }
    )
    url = fields.String(
        metadata={
            "description": "URL of such an operation; `{id}` is the object that it works on",
            "example": "/api/v1/operations/cluster-destroy/{id}",
        }
    )
    listed = fields.Boolean(
        metadata={"description": "Whether `/operations` lists running operations of this kind", "example": True}
    )


def list_kinds(arguments: Mapping[str, Any]) -> Response:
    """Return the kinds of operations, by name."""
    gateway = current_gateway()
    kinds = sorted(gateway.operations.values(), key=lambda kind: kind.name)
    documents = [
        {
            "kind": kind.name,
            "summary": kind.summary,
            "role": gateway.operation_roles[kind.name].value,
            "url": f"{OPERATIONS_URL}/{kind.name}/{{id}}",
            "listed": kind.under_way is not None,
        }
        for kind in kinds
    ]
    return json_response(orjson.dumps(documents))


def blueprint(gateway: Gateway) -> GatewayBlueprint:
    """Return the blueprint; one per application, since it documents the kinds that the plugins have registered."""
    kinds = "\n".join(
        f"- `{kind.name}` ({gateway.operation_roles[kind.name].value}): {kind.summary}"
        for kind in sorted(gateway.operations.values(), key=lambda k: k.name)
    )
    routes = GatewayBlueprint(
        "operations",
        __name__,
        url_prefix=OPERATIONS_URL,
        description="Long-running work: creates, upgrades, removals and restarts, whose progress is derived from Omni's"
        " own state, so that any replica can read it.",
        tag=Tag("Operations", example_id="my-cluster"),
    )
    list_route = Route(
        method="GET",
        rule="",
        operation_id="list_operations",
        role=Role.READER,
        authorized_by_omni=True,
        view=list_operations,
        summary="List the running operations",
        description="Derived from Omni's own state, also for work that was started elsewhere; `listed` in"
        " `/operation-kinds` names the kinds that can be found this way. Succeeded operations are not listed.",
        request=Request(query=OperationsQuery()),
        responses=Responses(
            answers={200: (OperationSchema(many=True), "A page of operations")},
            headers={200: (*OBJECT_HEADERS, "X-Pagination", "Link")},
        ),
        conditional=True,
    )
    get_route = Route(
        method="GET",
        rule="/<kind>/<id>",
        operation_id="get_operation",
        role=Role.READER,
        authorized_by_omni=True,
        view=get_operation,
        summary="Read the state of an operation",
        description="With `Accept: text/event-stream` or `application/x-ndjson` the answer is a stream of its progress,"
        f" which ends with the operation.\n\nKinds, and the role that reading one requires:\n\n{kinds}",
        request=Request(query=WaitQuery()),
        responses=Responses(
            answers={200: (OperationSchema, "The operation")},
            headers={200: ("Cache-Status", "Age", "Retry-After")},
            media_types=STREAMS,
            problems={404: "No such operation"},
        ),
    )
    add(routes, list_route)
    add(routes, get_route)
    return routes


def kinds_blueprint() -> GatewayBlueprint:
    """Return the blueprint of the kinds of operations."""
    routes = GatewayBlueprint(
        "operation-kinds",
        __name__,
        url_prefix=OPERATION_KINDS_URL,
        description="The kinds of operations that there are, with their roles and URLs.",
        tag=Tag("Operations"),
    )
    route = Route(
        method="GET",
        rule="",
        operation_id="list_operation_kinds",
        role=Role.READER,
        authorized_by_omni=True,
        view=list_kinds,
        summary="List the kinds of operations",
        description="The kinds of this gateway's plugins, each with the role that reading one requires and the URL of"
        " its operations.",
        responses=Responses(answers={200: (OperationKindSchema(many=True), "The kinds")}),
    )
    add(routes, route)
    return routes
