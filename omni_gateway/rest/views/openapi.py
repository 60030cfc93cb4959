"""The OpenAPI operation of a route, and the parameters, headers and problems that routes share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omni_gateway.http.body_forms import BodyForm
from omni_gateway.http.idempotency import takes_key
from omni_gateway.http.openapi import dry_run, problems
from omni_gateway.http.openapi.events import STREAMS
from omni_gateway.http.openapi.headers import ALWAYS
from omni_gateway.http.parser import JSON
from omni_gateway.http.problems import MEDIA_TYPE
from omni_gateway.rest.operations import Operation, OperationSchema
from omni_gateway.rest.schema import ResourceSchema
from omni_gateway.rest.views.route import Request, Responses, Route

WATCHABLE = (
    "With `Accept: text/event-stream` or `application/x-ndjson` the answer is a stream of changes; the schema of these"
    " media types is that of one event."
)
STEPPED = (
    "With `Accept: text/event-stream` or `application/x-ndjson` the answer is a stream of the steps as they are done;"
    " the schema of these media types is that of one event. A stream is not replayed for an `Idempotency-Key`."
)
OBJECT_HEADERS: Sequence[str] = ("ETag", "Cache-Status", "Age")
#: Headers of an object that was written.
WRITTEN_HEADERS: Sequence[str] = ("ETag", "Cache-Status")
LIST_HEADERS: Sequence[str] = (*OBJECT_HEADERS, "X-Pagination", "Link", "X-Resume-Point")

#: Headers of requests: keys of ``http.openapi.parameters.HEADERS``.
IF_MATCH = "IfMatchParameter"
IF_NONE_MATCH = "IfNoneMatchParameter"
IF_NONE_MATCH_WRITE = "IfNoneMatchWriteParameter"
IF_NONE_MATCH_PUT = "IfNoneMatchPutParameter"
LAST_EVENT_ID = "LastEventIDParameter"
RANGE = "RangeParameter"
IF_RANGE = "IfRangeParameter"
IDEMPOTENCY_KEY = "IdempotencyKeyParameter"

#: The response to a dry run of a request that starts an operation.
PLANNED = {200: (OperationSchema, "The operation that would start (only with `dry_run=true`)")}

#: Of the body of an object: its schema has what can be written only.
SENT_BACK = "A document that was read can be sent back: members that only answers have are ignored."

#: The problems of a write to an object: status → text, where it differs from the shared one.
WRITE_PROBLEMS = {
    404: "",
    409: "The object is tearing down, or other writers changed it at every attempt",
    412: "",
    422: "",
}
PATCH_PROBLEMS = {**WRITE_PROBLEMS, 415: "Not a merge patch; `Accept-Patch` names the media types"}
#: Those of a request with an Idempotency-Key, and of a request with a body.
_WITH_KEY, _WITH_BODY = (409, 422), (413, 415)
#: Description and problem of a route whose `{id}` is a machine's.
MACHINE_NAME = "`{id}` is the machine's id, or its host name if no other machine that you may read has that name."
_AMBIGUOUS = {409: "Several machines have this host name"}


def operation(route: Route) -> dict[str, Any]:
    """Return the OpenAPI operation of a route. It contains marshmallow schemas, which apispec resolves."""
    return {
        "operationId": route.operation_id,
        "summary": route.summary,
        "description": "\n\n".join(part for part in _description(route) if part),
        "x-required-role": route.role.value,
        "parameters": [*_parameters(route)],
        **({dry_run.MARK: True} if route.responses.dry_run else {}),
        **_request_body(route.request),
        "responses": dict(sorted({**_problems(route), **_answers(route)}.items())),
    }


def _description(route: Route) -> Iterator[str]:
    yield route.description
    if route.takes_machine_name:
        yield MACHINE_NAME
    yield f"Role: {route.role.value}."


def _parameters(route: Route) -> Iterator[Mapping[str, Any] | str]:
    yield {"in": "query", "schema": route.request.query}
    if route.conditional:
        yield IF_NONE_MATCH
        if STREAMS[0] in route.responses.media_types:
            yield LAST_EVENT_ID
    yield from route.request.headers
    if takes_key(route.view):
        yield IDEMPOTENCY_KEY


def _request_body(request: Request) -> dict[str, Any]:
    """Return the member ``requestBody``, if the route takes a body."""
    if request.content is not None:
        return {"requestBody": {"required": True, "content": request.content}}
    if request.body is None:
        return {}
    example = {} if request.example is None else {"example": request.example}
    required = not getattr(request.body, "body_optional", False)
    described = {"description": SENT_BACK} if isinstance(request.body, ResourceSchema) else {}
    content: dict[str, Any] = {JSON: {"schema": request.body, **example}}
    forms: Mapping[str, BodyForm] = getattr(request.body, "body_forms", {})
    for media_type, form in forms.items():
        content[media_type] = {"schema": dict(form.schema), **({"example": form.example} if form.example else {})}
    return {"requestBody": {**described, "required": required, "content": content}}


def _answers(route: Route) -> dict[int, Any]:
    answers = {status: _answer(route, status, *answer) for status, answer in route.responses.answers.items()}
    if route.conditional:
        answers[304] = _shared("NotModifiedPage" if "Link" in route.responses.headers.get(200, ()) else "NotModified")
    return answers


def _answer(route: Route, status: int, schema: Any, text: str) -> dict[str, Any]:
    if isinstance(schema, str):
        return _shared(schema, text)
    if status in (202, 204):
        return _shared({202: "Accepted", 204: "NoContent"}[status], text)
    names = [*ALWAYS, *route.responses.headers.get(status, ())]
    if takes_key(route.view):
        names.append("Idempotency-Replayed")
    headers = {name: name for name in names}
    return {"description": text, "headers": headers, **_content(route.responses, status, schema)}


def _shared(name: str, description: str = "") -> dict[str, Any]:
    """Return the reference to one of :func:`shared_responses`, with a description of its own."""
    own = {"description": description} if description else {}
    return {"$ref": f"#/components/responses/{name}", **own}


#: The link from a response to the operation that it started.
_OPERATION = {
    "operationId": "get_operation",
    "parameters": {"kind": "$response.body#/kind", "id": "$response.body#/id"},
}

_PLANNED_BULK = Operation(
    "bulk",
    "",
    "planned",
    "Not started: this is a dry run.",
    target="/api/v1/machines",
    details={
        "resource": "machines",
        "request": "patch",
        "counts": {"updated": 1},
        "results": [
            {
                "id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
                "action": "updated",
                "diff": [{"op": "add", "path": "/labels/env", "value": "prod"}],
            }
        ],
    },
)


def shared_responses() -> Mapping[str, Any]:
    """Return the responses without a problem that are the same for many operations, by their names."""
    accepted = (*ALWAYS, "Location", "Operation-Location", "Retry-After", "Idempotency-Replayed")
    return {
        "Accepted": {
            "description": "Started; the operation shows the progress",
            "headers": {name: name for name in accepted},
            "content": {JSON: {"schema": OperationSchema}},
            "links": {"operation": _OPERATION},
        },
        "PlannedBulk": {
            "description": "The operation that would start (only with `dry_run=true`)",
            "headers": {name: name for name in (*ALWAYS, "Idempotency-Replayed")},
            "content": {JSON: {"schema": OperationSchema, "example": _PLANNED_BULK.document()}},
        },
        "NoContent": {"description": "Done; nothing is left to show", "headers": {name: name for name in ALWAYS}},
        "NotModified": _not_modified(OBJECT_HEADERS),
        "NotModifiedPage": _not_modified(LIST_HEADERS),
    }


def _not_modified(names: Sequence[str]) -> dict[str, Any]:
    text = "The entity tag is still that of `If-None-Match`"
    return {"description": text, "headers": {name: name for name in (*ALWAYS, *names)}}


def _content(responses: Responses, status: int, schema: Any) -> dict[str, Any]:
    """Return the member ``content``; JSON is first in it, for generated clients take the first that they know."""
    content = {} if schema is None else {JSON: {"schema": schema}}
    if status in (200, 206):
        for media_type in responses.media_types:
            whole = {"type": "object" if media_type.endswith("yaml") else "string"}
            content[media_type] = {"schema": responses.line or whole}
    return {"content": content} if content else {}


def _problems(route: Route) -> dict[int, Any]:
    texts = {**(_AMBIGUOUS if route.takes_machine_name else {}), **route.responses.problems}
    statuses = {
        *problems.COMMON,
        *(_WITH_KEY if takes_key(route.view) else ()),
        *(_WITH_BODY if route.request.body is not None or route.request.content is not None else ()),
        *texts,
    }
    answers = {status: problems.reference(status, texts.get(status, "")) for status in statuses}
    if route.responses.incomplete is not None:
        shared = problems.RESPONSES[422]
        answers[422] = {
            "description": texts.get(422) or shared.description,
            "headers": {name: name for name in (*ALWAYS, *shared.headers)},
            "content": {MEDIA_TYPE: {"schema": route.responses.incomplete}},
        }
    return answers
