"""How a view is guarded, parsed and documented: the one place where decorators are stacked.

Their order matters and fails silently when wrong: the role is asked first, then parameters are read, then the body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import wraps
from typing import Any, cast

import marshmallow as ma
from marshmallow import fields

from omni_gateway.auth import Role
from omni_gateway.http.guard import require
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.problems import ProblemSchema
from omni_gateway.sdk.schema import SpecSchema

View = Callable[..., Any]

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
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]( *[!-~])*$"},
    "description": "Send the same key again and the first answer is replayed for 24 hours",
}

#: Problems that any guarded operation can answer with, and what they mean.
COMMON_PROBLEMS = {
    400: "A header or the body cannot be read",
    401: "No or no valid credential",
    403: "The role is too low, or Omni refuses",
    429: "Too many requests, failed logins or streams; `Retry-After` tells when to go on",
    503: "Omni is away",
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
    problem_schema: type[ma.Schema] = ProblemSchema,
    parameters: Sequence[Mapping[str, Any]] = (),
    extra_doc: Mapping[str, Any] | None = None,
) -> View:
    """Wrap a view: guard it with ``role``, parse ``query`` then ``body`` (both injected in this order), document it.

    ``answers`` maps a status to (schema or None, description), in JSON unless ``content_type`` says otherwise;
    ``media_types`` are further forms of the 200 answer;
    ``problem_schema`` is for problems that carry members of their own.
    """
    # Before JSON, which is then named first: generated clients take the first form that they know.
    for media_type in media_types:
        form = {"type": "object" if media_type.endswith("yaml") else "string"}
        view = blueprint.alt_response(200, schema=form, content_type=media_type, description=answers[200][1])(view)
    for status, (schema, text) in answers.items():
        documented_headers = headers(*answer_headers) if status < 300 else None
        form = {"content_type": content_type} if content_type else {}
        view = blueprint.response(status, schema, description=text, headers=documented_headers, **form)(view)
    if IF_NONE_MATCH in parameters:
        view = blueprint.alt_response(304, description="It is still as If-None-Match says")(view)
    reads_body = body is not None or "requestBody" in (extra_doc or {})
    for status, text in {**COMMON_PROBLEMS, **(BODY_PROBLEMS if reads_body else {}), **(problems or {})}.items():
        view = blueprint.alt_response(
            status, schema=problem_schema, content_type="application/problem+json", description=text
        )(view)
    for status, name in _UPSTREAM_PROBLEMS.items():
        view = blueprint.alt_response(status, name)(view)
    if body is not None:
        required = not getattr(body, "body_optional", False)
        view = blueprint.arguments(body, location="json", example=body_example, required=required)(view)
    if query is not None:
        view = blueprint.arguments(query, location="query")(view)
    doc: dict[str, Any] = {"operationId": operation_id, "summary": summary, **(extra_doc or {})}
    doc["description"] = "\n\n".join(part for part in (description, f"Role: {role.value}.") if part)
    doc["x-required-role"] = role.value
    return cast(View, require(role)(blueprint.doc(**doc)(_with_parameters(view, parameters))))


def _with_parameters(view: View, parameters: Sequence[Mapping[str, Any]]) -> View:
    """Document parameters that the view reads itself, beside those of the query; ``doc`` would replace these."""

    @wraps(view)
    def same(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    same._apidoc = deepcopy(getattr(view, "_apidoc", {}))  # type: ignore[attr-defined]
    same._apidoc.setdefault("arguments", {}).setdefault("parameters", []).extend(parameters)  # type: ignore[attr-defined]
    return same
