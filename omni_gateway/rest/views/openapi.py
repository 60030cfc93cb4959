"""How a view is guarded, parsed and documented: the one place where decorators are stacked.

Their order matters and fails silently when wrong: the role is asked first, then parameters are read, then the body.
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
from omni_gateway.rest.views.cached_response import repeating

View = Callable[..., Any]

#: One for all routes: two thousand answers are documented with it.
_PROBLEM = ProblemSchema()

_HEADER_DOCS = {
    "ETag": "Entity tag, for If-Match and If-None-Match",
    "Location": "URL of the object or operation",
    "X-Pagination": "JSON: total, total_pages, page, first_page, last_page, previous_page, next_page",
    "Link": "RFC 8288 links to the neighbouring pages",
    "X-Resume-Point": "Where a watch goes on from this list without a gap (absent when the list is only a part)",
    "Cache-Status": "RFC 9211: whether Omni was asked",
    "Retry-After": "Seconds",
}

IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "schema": {"type": "string"},
    "description": "Write only over this entity tag; 412 otherwise",
}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "304 when the entity tag is still this one",
}
IF_NONE_MATCH_WRITE = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "412 when the object is in this state; `*`: in any, so that nothing that is there is written over",
}
IF_NONE_MATCH_PUT = {
    **IF_NONE_MATCH_WRITE,
    "description": "412 when the object is in this state; `*`: make the object if there is none (201), else 412",
}
FAILED_PRECONDITION = "If-Match names another state, or If-None-Match this one"
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]( *[!-~])*$"},
    "description": "A name of your own for this request. Sent again with the same key within 24 hours, it is not done"
    " again: the first answer is replayed (`Idempotency-Replayed: true`). 409 `idempotency-conflict` while the first"
    " one runs, 409 `outcome-unknown` where it ended without an answer and may have been done, 422 on another request",
}

#: Problems that any guarded operation can answer with, and what they mean.
COMMON_PROBLEMS = {
    400: "A header or the body cannot be read",
    401: "No or no valid credential",
    403: "The role is too low, or Omni refuses",
    429: "Too many requests, failed logins or streams; `Retry-After` tells when to go on",
    503: "Omni is away",
}
#: What a request with an Idempotency-Key can end with.
KEY_PROBLEMS = {
    409: "The first request with this Idempotency-Key runs still, or may have been done",
    422: "This Idempotency-Key came with another request before",
}
#: What reading a body can end with.
BODY_PROBLEMS = {413: "The body is too large", 415: "The body has another media type"}
#: Nobody can do anything about these but try again; they share their words.
_UPSTREAM_PROBLEMS = {500: "INTERNAL_SERVER_ERROR", 501: "NOT_IMPLEMENTED", 502: "BAD_GATEWAY", 504: "GATEWAY_TIMEOUT"}


class DryRunSchema(SpecSchema):
    """What a write would do (`?dry_run=true`)."""

    dry_run = fields.Boolean(metadata={"description": "Always true"})
    object = fields.Dict(allow_none=True, metadata={"description": "The object that would result; null: it would go"})
    diff = fields.List(fields.Dict(), metadata={"description": "RFC 6902 operations from the present object to it"})
    also = fields.List(fields.Dict(), metadata={"description": "Other objects that would be made with it"})
    also_deleted = fields.List(fields.Dict(), metadata={"description": "Other objects that would be removed with it"})


def or_dry_run(schema: Any) -> Any:
    """Document an answer that is what a dry run tells when one was asked for."""
    return {"oneOf": [schema, DryRunSchema]}


#: The answer to a dry run where a real one has another status.
DRY_RUN = {200: (DryRunSchema, "What would be done (only with `dry_run=true`)")}


def headers(*names: str) -> dict[str, Any]:
    """Document response headers by name."""
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
    """Wrap a view: guard it, parse ``query`` then ``body`` (both injected in this order), document it.

    ``role`` and ``authorized_by_omni``: see ``http.guard.demand``.

    ``answers`` maps a status to (schema or None, description), in JSON unless ``content_type`` says otherwise;
    ``media_types`` are further forms of the 200 answer;
    ``problem_schema`` is for problems that carry members of their own.
    """
    told = _undocumented(view)
    # Before JSON, which is then named first: generated clients take the first form that they know.
    for media_type in media_types:
        form = {"type": "object" if media_type.endswith("yaml") else "string"}
        _tell(told, blueprint.alt_response(200, schema=form, content_type=media_type, description=answers[200][1]))
    for status, (schema, text) in answers.items():
        documented_headers = headers(*answer_headers) if status < 300 else None
        form = {"content_type": content_type} if content_type else {}
        _tell(told, blueprint.response(status, schema, description=text, headers=documented_headers, **form))
    if IF_NONE_MATCH in parameters:
        _tell(told, blueprint.alt_response(304, description="It is still as If-None-Match says"))
    reads_body = body is not None or "requestBody" in (extra_doc or {})
    told_of_keys = KEY_PROBLEMS if takes_key(view) else {}
    of_bodies = BODY_PROBLEMS if reads_body else {}
    for status, text in {**COMMON_PROBLEMS, **told_of_keys, **of_bodies, **(problems or {})}.items():
        problem = {"schema": problem_schema, "content_type": MEDIA_TYPE}
        _tell(told, blueprint.alt_response(status, description=text, **problem))
    for status, name in _UPSTREAM_PROBLEMS.items():
        _tell(told, blueprint.alt_response(status, name))
    if body is not None:
        required = not getattr(body, "body_optional", False)
        told = blueprint.arguments(body, location="json", example=body_example, required=required)(told)
    if query is not None:
        told = blueprint.arguments(query, location="query")(told)
    # Those that the view reads itself, beside those of the query: `doc` would replace these.
    own = [*parameters, *([IDEMPOTENCY_KEY] if takes_key(view) else [])]
    told._apidoc.setdefault("arguments", {}).setdefault("parameters", []).extend(own)
    doc: dict[str, Any] = {"operationId": operation_id, "summary": summary, **(extra_doc or {})}
    doc["description"] = "\n\n".join(part for part in (description, f"Role: {role.value}.") if part)
    doc["x-required-role"] = role.value
    guard, told = require_role(role, authorized_by_omni=authorized_by_omni), blueprint.doc(**doc)(told)
    return cast(View, guard(repeating(told) if IF_NONE_MATCH in parameters else told))


def _undocumented(view: View) -> Any:
    """Return the view as a function of its own, so that what is told of it is told of nobody else."""

    @wraps(view)
    def same(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    same._apidoc = {}  # type: ignore[attr-defined]
    return same


def _tell(view: Any, decorator: Callable[[View], Any]) -> None:
    """Take from a decorator what it documents; its wrapper has nothing to do at a request, for views answer whole."""
    view._apidoc = decorator(view)._apidoc
