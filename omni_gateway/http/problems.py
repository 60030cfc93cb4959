"""Problem documents (RFC 9457) and the table of their types.

``docs/problems.md`` documents the same table; a test compares the two.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import marshmallow as ma
import orjson
from flask import Response, has_request_context, request
from marshmallow import fields

from omni_gateway.http.field_errors import flatten
from omni_gateway.http.fixed_schema import FixedSchema
from omni_gateway.http.paths import request_path
from omni_gateway.http.request_id import request_id
from omni_gateway.redaction.credentials import masked

MEDIA_TYPE = "application/problem+json"
_CODE = "omni_gateway.problem"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A problem type: default status, title, meaning, and whether a retry may succeed."""

    status: int
    title: str
    meaning: str
    retryable: bool = False


CATALOGUE: Mapping[str, ProblemType] = {
    "bad-request": ProblemType(400, "Bad request", "The request cannot be understood."),
    "bad-json": ProblemType(400, "Bad JSON", "The body is not JSON, or JSON that could be read in two ways."),
    "bad-yaml": ProblemType(400, "Bad YAML", "The body is not YAML, or uses what JSON does not have, such as tags."),
    "unauthenticated": ProblemType(
        401, "Missing or invalid credential", "Send a valid token: `Authorization: Bearer …`."
    ),
    "bad-ticket": ProblemType(
        401,
        "Ticket refused",
        "The ticket of a stream was used, has expired, or is for another request; `POST /api/v1/stream-tickets` again.",
    ),
    "forbidden": ProblemType(403, "Forbidden", "Your role is too low; the answer names the one that is needed."),
    "cross-site": ProblemType(
        403,
        "Cross-site request refused",
        "A web page of another origin asked for a change; `OMNI_GATEWAY_CORS_ORIGINS` names the origins that may.",
    ),
    "omni-forbidden": ProblemType(
        403, "Forbidden by Omni", "Omni does not allow this to anyone, or not to the gateway's key."
    ),
    "not-found": ProblemType(404, "Not found", "There is no such object, route or operation."),
    "not-yet": ProblemType(
        404,
        "Not there yet",
        "Omni creates this some time after the object it belongs to; try again after `Retry-After`.",
        True,
    ),
    "method-not-allowed": ProblemType(405, "Method not allowed", "The `Allow` header names the methods there are."),
    "not-acceptable": ProblemType(406, "Not acceptable", "The answer has no form that `Accept` names."),
    "request-timeout": ProblemType(408, "Request timeout", "The request did not come in whole in time.", True),
    "conflict": ProblemType(409, "Conflict", "The object's present state is in the way; `hint` says what to do first."),
    "ambiguous-name": ProblemType(
        409, "Name of several machines", "Several machines have this host name; `candidates` has the id of each."
    ),
    "changed-meanwhile": ProblemType(
        409, "Changed meanwhile", "Other writes changed the object during each attempt.", True
    ),
    "too-early": ProblemType(
        409,
        "Too early",
        "Omni has not processed yet what this depends on; send it again after `Retry-After`.",
        True,
    ),
    "exists": ProblemType(409, "Exists already", "There is an object of this name; `Location` names it."),
    "tearing-down": ProblemType(409, "Tearing down", "The object is being removed and takes no writes."),
    "idempotency-conflict": ProblemType(
        409, "First request still running", "The first request with this Idempotency-Key has not ended.", True
    ),
    "outcome-unknown": ProblemType(
        409,
        "Outcome unknown",
        "The first request with this Idempotency-Key ended without a response; it may have been applied.",
    ),
    "gone": ProblemType(410, "Gone", "The watch's history does not reach back that far; list again."),
    "stale-precondition": ProblemType(
        412, "Precondition failed", "`If-Match` names another state of the object, or `If-None-Match` this one."
    ),
    "too-large": ProblemType(413, "Too large", "The body, or what Omni would have to send, exceeds a limit."),
    "uri-too-long": ProblemType(414, "URI too long", "The path and its query are longer than 8 KiB."),
    "unsupported-media-type": ProblemType(
        415, "Unsupported media type", "The body is of a type this route cannot read."
    ),
    "validation": ProblemType(422, "Invalid field or parameter", "A field or parameter is wrong; `errors` names each."),
    "unknown-parameter": ProblemType(422, "Unknown parameter", "A query parameter that this route does not have."),
    "bad-selector": ProblemType(422, "Bad selector", "The label selector cannot be read."),
    "refused-by-omni": ProblemType(422, "Value refused by Omni", "Omni refuses a value; `detail` is its reason."),
    "apply-incomplete": ProblemType(
        422, "Not all was applied", "`results` has the outcome of each document, and its reason."
    ),
    "idempotency-mismatch": ProblemType(
        422, "Key used for another request", "This Idempotency-Key came with another request before."
    ),
    "rate-limited": ProblemType(
        429,
        "Too many requests",
        "You exceeded the limit in `RateLimit`; go on after `Retry-After`.",
        True,
    ),
    "too-many-failed-logins": ProblemType(
        429, "Too many failed logins", "Refused credentials came from your address; wait before you try another.", True
    ),
    "too-many-own-streams": ProblemType(
        429, "Too many streams of yours", "You have as many streams open as one caller may.", True
    ),
    "too-many-tickets": ProblemType(
        429, "Too many tickets", "You have as many unused tickets of streams as one caller may; wait.", True
    ),
    "too-many-own-requests": ProblemType(
        429, "Too many requests of yours at once", "You have as many requests waiting as one caller may.", True
    ),
    "headers-too-large": ProblemType(
        431, "Headers too large", "A header field is larger than 16 KiB, or there are more than 64, or 64 KiB of them."
    ),
    "internal": ProblemType(500, "Internal error", "A defect of the gateway; its log has the request id."),
    "not-implemented": ProblemType(501, "Not implemented", "Omni, or this gateway as it is set up, cannot do this."),
    "omni-credential": ProblemType(502, "Omni refuses the gateway's key", "The key is unknown, expired or revoked."),
    "omni-error": ProblemType(502, "Omni failed", "Omni answered with an error that says no more."),
    "omni-unreachable": ProblemType(503, "Omni unreachable", "Omni cannot be reached; try again later.", True),
    "machine-unreachable": ProblemType(
        503,
        "Machine unreachable",
        "The machine's own Talos API cannot be reached through Omni: it is going down, coming up or cut off.",
        True,
    ),
    "store-unavailable": ProblemType(
        503, "Store unavailable", "The gateway's own database cannot be used now; try again later.", True
    ),
    "too-many-streams": ProblemType(503, "Too many streams", "This worker has as many streams open as it may.", True),
    "overloaded": ProblemType(
        503,
        "Too many requests at once",
        "Too many requests wait already; this one was not started. Send it again.",
        True,
    ),
    "not-ready": ProblemType(503, "Not ready", "The gateway is starting or stopping.", True),
    "omni-timeout": ProblemType(
        504, "Omni timed out", "Omni did not answer in time; a write may have been applied.", True
    ),
}

_BY_STATUS = {
    400: "bad-request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "request-timeout",
    409: "conflict",
    410: "gone",
    412: "stale-precondition",
    413: "too-large",
    414: "uri-too-long",
    415: "unsupported-media-type",
    422: "validation",
    429: "rate-limited",
    431: "headers-too-large",
    501: "not-implemented",
    503: "not-ready",
}


def code_for_status(status: int) -> str:
    """Return the catalogue's code for a plain HTTP status."""
    return _BY_STATUS.get(status, "internal" if status >= 500 else "bad-request")


class Problem(Exception):
    """An error that becomes a problem response.

    ``errors`` maps a field's path to its messages; ``hint`` is advice for the caller; ``extra`` adds members.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str | None = None,
        *,
        title: str | None = None,
        errors: Mapping[str, list[str]] | None = None,
        hint: str | None = None,
        grpc_code: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        kind = CATALOGUE[code]
        super().__init__(detail or kind.title)
        self.status = status
        self.code = code
        self.title = title or kind.title
        self.detail = detail or _detail_from(errors) or kind.meaning
        self.errors = errors
        self.hint = hint
        self.grpc_code = grpc_code
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @classmethod
    def from_validation(
        cls, error: ma.ValidationError, *, schema: ma.Schema | None = None, known: Iterable[str] = ()
    ) -> Problem:
        """Return a 422 problem with marshmallow's nested messages as paths, and suggestions for unknown fields.

        The known names come from ``schema`` (the one that raised) at every depth, from ``known`` at the top level only.
        """
        forget_frames(error)
        return cls(422, "validation", errors=flatten(error.messages, schema=schema, known=known))

    def to_dict(self) -> dict[str, Any]:
        """Return the document's members."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "retryable": CATALOGUE[self.code].retryable,
        }
        document |= request_members()
        for name in ("errors", "hint", "grpc_code"):
            if (value := getattr(self, name)) is not None:
                document[name] = value
        return document | self.extra

    def response(self) -> Response:
        """Return the problem response, and note its code in the request's environ."""
        if has_request_context():
            request.environ[_CODE] = self.code
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(orjson.dumps(self.to_dict()), self.status, headers=headers, content_type=MEDIA_TYPE)


def request_members() -> dict[str, str]:
    """Return ``instance`` and ``request_id`` of the current request; empty outside of one (in a stream's generator)."""
    if not has_request_context():
        return {}
    return {"instance": masked(request_path()), "request_id": request_id()}


def code_of(environ: Mapping[str, Any]) -> str:
    """Return the code of the problem that a request was answered with; empty if there was none."""
    return cast(str, environ.get(_CODE, ""))


def forget_frames(error: Exception) -> None:
    """Clear the local variables of an error's frames.

    marshmallow's loader has its error in a local variable: a reference cycle that also holds the whole document, which
    would stay in memory until the next full garbage collection.
    """
    traceback.clear_frames(error.__traceback__)


def _detail_from(errors: Mapping[str, list[str]] | None) -> str | None:
    if not errors:
        return None
    name, messages = next(iter(errors.items()))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{name}: {messages[0]}{more}"


class ProblemSchema(FixedSchema):
    """An error (RFC 9457)."""

    class Meta:
        """Some kinds have members of their own (RFC 9457 §3.2); readers ignore those they do not know."""

        unknown = ma.INCLUDE

    type = fields.String(metadata={"format": "uri-reference", "description": "A page about this kind of error"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String(metadata={"description": "What is wrong with this request"})
    instance = fields.String(metadata={"description": "The request's path"})
    code = fields.String(metadata={"enum": list(CATALOGUE), "description": "Stable; for programs"})
    request_id = fields.String(metadata={"description": "The id under which the gateway's log has the request"})
    retryable = fields.Boolean(metadata={"description": "Whether the same request may succeed later"})
    grpc_code = fields.String(metadata={"description": "Omni's own status code, when Omni was asked"})
    hint = fields.String(metadata={"description": "What to do instead"})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "Field or parameter → what is wrong with it"},
    )
