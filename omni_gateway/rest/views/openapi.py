"""The OpenAPI operation of a route, and the parameters, headers and problems that routes share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from marshmallow import fields

from omni_gateway.http.idempotency import takes_key
from omni_gateway.http.parser import JSON
from omni_gateway.http.problems import MEDIA_TYPE
from omni_gateway.rest.schema import SpecSchema
from omni_gateway.rest.views.route import Request, Responses, Route

#: The media types of a watch.
STREAMS = ("text/event-stream", "application/x-ndjson")
WATCHABLE = "With `Accept: text/event-stream` or `application/x-ndjson` the answer is a stream of changes."
LIST_HEADERS: Sequence[str] = ("ETag", "X-Pagination", "Link", "X-Resume-Point", "Cache-Status")
OBJECT_HEADERS: Sequence[str] = ("ETag", "Cache-Status")

_HEADER_DOCS = {
    "ETag": "Entity tag, for If-Match and If-None-Match",
    "Location": "URL of the object or operation",
    "X-Pagination": "JSON: total, total_pages, page, first_page, last_page, previous_page, next_page",
    "Link": "RFC 8288 links to the neighbouring pages",
    "X-Resume-Point": "From here a watch continues this list without a gap (absent when the list is only a part)",
    "Cache-Status": "RFC 9211: whether the response came from the gateway's cache, and if not, why",
    "Retry-After": "Seconds",
}

IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "Write only if the object has this entity tag; 412 otherwise",
}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "304 when the entity tag is unchanged",
}
IF_NONE_MATCH_WRITE = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "412 when the object has this entity tag; `*`: 412 when the object exists",
}
IF_NONE_MATCH_PUT = {
    **IF_NONE_MATCH_WRITE,
    "description": "412 when the object has this entity tag; `*`: create the object, 412 when it exists",
}
FAILED_PRECONDITION = "If-Match does not name the current entity tag, or If-None-Match does"
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]( *[!-~])*$"},
    "description": "A name of your own for this request. A request sent again with the same key within 24 hours is not"
    " carried out again: the first response is replayed (`Idempotency-Replayed: true`). 409 `idempotency-conflict`"
    " while the first request runs, 409 `outcome-unknown` if it ended without a response and may have been applied,"
    " 422 if the key was used with another request",
}

#: Problems of a write to an object.
WRITE_PROBLEMS = {
    404: "No such object",
    409: "The object is tearing down, or other writers changed it at every attempt",
    412: FAILED_PRECONDITION,
    422: "A field or parameter is invalid, or Omni rejects the value",
}
PATCH_PROBLEMS = {**WRITE_PROBLEMS, 415: "Not a merge patch; `Accept-Patch` names the media types"}
#: Problems of every guarded operation: status → description.
COMMON_PROBLEMS = {
    400: "A header or the body cannot be parsed",
    401: "The credential is missing or invalid",
    403: "The caller's role is too low, or Omni denies the request",
    429: "Too many requests, failed logins or streams; `Retry-After` gives the seconds to wait",
    503: "Omni unreachable",
}
#: Problems of a request with an Idempotency-Key.
KEY_PROBLEMS = {
    409: "The first request with this Idempotency-Key is still running, or may have been applied",
    422: "This Idempotency-Key was used with another request",
}
#: Description and problems of a route whose `{id}` is a machine's.
MACHINE_NAME = "`{id}` is the machine's id, or its host name if no other machine that you may read has that name."
NAME_PROBLEMS = {409: "Several machines have this host name"}
#: Problems of a request with a body.
BODY_PROBLEMS = {413: "The body is too large", 415: "The body has another media type"}
#: Problems of every route unless it documents its own: status → name of the response in the document's components. A
#: parameter is invalid, or the caller can do nothing but retry.
_SHARED_PROBLEMS = {status: HTTPStatus(status).name for status in (422, 500, 501, 502, 504)}


class DryRunSchema(SpecSchema):
    """The result of a dry run (`?dry_run=true`)."""

    dry_run = fields.Boolean(metadata={"description": "Always true"})
    object = fields.Dict(
        allow_none=True, metadata={"description": "The object after the write; null: it would be removed"}
    )
    diff = fields.List(fields.Dict(), metadata={"description": "RFC 6902 operations from the present object to it"})
    also = fields.List(fields.Dict(), metadata={"description": "Other objects that would be created or changed"})
    also_deleted = fields.List(fields.Dict(), metadata={"description": "Other objects that would be removed with it"})


def or_dry_run(schema: Any) -> Any:
    """Return the OpenAPI schema of a 200 response that is either ``schema`` or a dry-run result."""
    return {"oneOf": [schema, DryRunSchema]}


#: The response to a dry run of a request whose real response has another status than 200.
DRY_RUN = {200: (DryRunSchema, "The dry-run result (only with `dry_run=true`)")}


def operation(route: Route) -> dict[str, Any]:
    """Return the OpenAPI operation of a route. It contains marshmallow schemas, which apispec resolves."""
    return {
        "operationId": route.operation_id,
        "summary": route.summary,
        "description": "\n\n".join(part for part in _description(route) if part),
        "x-required-role": route.role.value,
        "parameters": [*_parameters(route)],
        **({"security": [{"bearer": []}, {"ticket": []}]} if set(STREAMS) <= set(route.responses.media_types) else {}),
        **_request_body(route.request),
        "responses": {**_problems(route), **_answers(route)},
    }


def _description(route: Route) -> Iterator[str]:
    yield route.description
    if route.takes_machine_name:
        yield MACHINE_NAME
    yield f"Role: {route.role.value}."


def _parameters(route: Route) -> Iterator[Mapping[str, Any]]:
    yield {"in": "query", "schema": route.request.query}
    if route.conditional:
        yield IF_NONE_MATCH
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
    return {"requestBody": {"required": required, "content": {JSON: {"schema": request.body, **example}}}}


def _answers(route: Route) -> dict[int, Any]:
    headers = {
        name: {"schema": {"type": "string"}, "description": _HEADER_DOCS[name]} for name in route.responses.headers
    }
    answers: dict[int, Any] = {
        status: {"description": text, "headers": headers, **_content(route.responses, status, schema)}
        for status, (schema, text) in route.responses.answers.items()
    }
    if route.conditional:
        answers[304] = {"description": "The entity tag is still that of If-None-Match"}
    return answers


def _content(responses: Responses, status: int, schema: Any) -> dict[str, Any]:
    """Return the member ``content``; JSON is first in it, for generated clients take the first that they know."""
    content = {} if schema is None else {JSON: {"schema": schema}}
    if status == 200:
        for media_type in responses.media_types:
            content[media_type] = {"schema": {"type": "object" if media_type.endswith("yaml") else "string"}}
    return {"content": content} if content else {}


def _problems(route: Route) -> dict[int, Any]:
    texts = {
        **COMMON_PROBLEMS,
        **(KEY_PROBLEMS if takes_key(route.view) else {}),
        **(NAME_PROBLEMS if route.takes_machine_name else {}),
        **(BODY_PROBLEMS if route.request.body is not None or route.request.content is not None else {}),
        **route.responses.problems,
    }
    content = {MEDIA_TYPE: {"schema": route.responses.problem_schema}}
    return {**_SHARED_PROBLEMS, **{status: {"description": text, "content": content} for status, text in texts.items()}}
