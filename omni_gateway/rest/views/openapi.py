"""Guard, parse and document a view: the only module that stacks view decorators.

Their order matters, and a wrong one fails silently: the role is checked first, then the query is parsed, then the body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, cast

import marshmallow as ma
from marshmallow import fields

from omni_gateway.auth import Role
from omni_gateway.http.guard import require_role
from omni_gateway.http.idempotency import takes_key
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.problems import MEDIA_TYPE, ProblemSchema
from omni_gateway.rest.schema import SpecSchema
from omni_gateway.rest.views.cached_response import use_response_cache

View = Callable[..., Any]

#: One instance for all routes: about two thousand documented responses use it.
_PROBLEM = ProblemSchema()

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
#: Problems of a request with a body.
BODY_PROBLEMS = {413: "The body is too large", 415: "The body has another media type"}
#: Failures about which a caller can do nothing but retry; each is documented by a shared OpenAPI response.
_UPSTREAM_PROBLEMS = {500: "INTERNAL_SERVER_ERROR", 501: "NOT_IMPLEMENTED", 502: "BAD_GATEWAY", 504: "GATEWAY_TIMEOUT"}


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


def headers(*names: str) -> dict[str, Any]:
    """Return the OpenAPI documentation of the response headers of these names."""
    return {name: {"schema": {"type": "string"}, "description": _HEADER_DOCS[name]} for name in names}


def documented(
    blueprint: GatewayBlueprint,
    view: View,
    *,
    role: Role,
    authorized_by_omni: bool,
    operation_id: str,
    summary: str,
    description: str = "",
    query: ma.Schema | None = None,
    body: ma.Schema | None = None,
    body_example: Any = None,
    answers: Mapping[int, tuple[Any, str]],
    answer_headers: Sequence[str] = (),
    content_type: str | None = None,
    media_types: Sequence[str] = (),
    problems: Mapping[int, str] | None = None,
    problem_schema: ma.Schema = _PROBLEM,
    parameters: Sequence[Mapping[str, Any]] = (),
    extra_doc: Mapping[str, Any] | None = None,
) -> View:
    """Wrap a view: guard it, parse its query and body, document it.

    :param view: a function that takes the parsed ``query``, then the parsed ``body``, as its first arguments.
    :param role: the role that a caller needs; see ``http.guard.require_role``, also for ``authorized_by_omni``.
    :param answers: status → (schema or None, description); JSON unless ``content_type`` names another media type.
    :param answer_headers: names of the headers of successful responses.
    :param media_types: further media types of the 200 response, e.g. those of a stream.
    :param problems: status → description, in addition to the problems of every operation.
    :param problem_schema: the schema of problems, for those with members of their own.
    :param parameters: OpenAPI objects of parameters that the view reads itself. With ``IF_NONE_MATCH`` among them the
        view is a read: 304 is documented and the response cache may answer it.
    :param extra_doc: further members of the OpenAPI operation.
    """
    wrapped = _undocumented(view)
    # Streams are documented before JSON: the last one added is named first, and generated clients take the first media
    # type that they know.
    for media_type in media_types:
        form = {"type": "object" if media_type.endswith("yaml") else "string"}
        _document(
            wrapped, blueprint.alt_response(200, schema=form, content_type=media_type, description=answers[200][1])
        )
    for status, (schema, text) in answers.items():
        documented_headers = headers(*answer_headers) if status < 300 else None
        form = {"content_type": content_type} if content_type else {}
        _document(wrapped, blueprint.response(status, schema, description=text, headers=documented_headers, **form))
    if IF_NONE_MATCH in parameters:
        _document(wrapped, blueprint.alt_response(304, description="The entity tag is still that of If-None-Match"))
    reads_body = body is not None or "requestBody" in (extra_doc or {})
    key_problems = KEY_PROBLEMS if takes_key(view) else {}
    body_problems = BODY_PROBLEMS if reads_body else {}
    for status, text in {**COMMON_PROBLEMS, **key_problems, **body_problems, **(problems or {})}.items():
        problem = {"schema": problem_schema, "content_type": MEDIA_TYPE}
        _document(wrapped, blueprint.alt_response(status, description=text, **problem))
    for status, name in _UPSTREAM_PROBLEMS.items():
        _document(wrapped, blueprint.alt_response(status, name))
    if body is not None:
        required = not getattr(body, "body_optional", False)
        wrapped = blueprint.arguments(body, location="json", example=body_example, required=required)(wrapped)
    if query is not None:
        wrapped = blueprint.arguments(query, location="query")(wrapped)
    # Appended to the parameters of the query schema: passed to `blueprint.doc`, they would replace these.
    own = [*parameters, *([IDEMPOTENCY_KEY] if takes_key(view) else [])]
    wrapped._apidoc.setdefault("arguments", {}).setdefault("parameters", []).extend(own)
    doc: dict[str, Any] = {"operationId": operation_id, "summary": summary, **(extra_doc or {})}
    doc["description"] = "\n\n".join(part for part in (description, f"Role: {role.value}.") if part)
    doc["x-required-role"] = role.value
    wrapped = blueprint.doc(**doc)(wrapped)
    # The guard is outermost: the response cache answers only callers whose role has been checked.
    guard = require_role(role, authorized_by_omni=authorized_by_omni)
    return cast(View, guard(use_response_cache(wrapped) if IF_NONE_MATCH in parameters else wrapped))


def _undocumented(view: View) -> Any:
    """Return a new function that calls the view, so that its documentation is not shared with other routes."""

    @wraps(view)
    def same(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    same._apidoc = {}  # type: ignore[attr-defined]
    return same


def _document(view: Any, decorator: Callable[[View], Any]) -> None:
    """Add a decorator's documentation to the view, without its wrapper: the views return finished responses."""
    view._apidoc = decorator(view)._apidoc
