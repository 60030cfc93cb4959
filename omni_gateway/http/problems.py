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
from omni_gateway.http.suggestions import did_you_mean
from omni_gateway.http.type_nouns import in_nouns
from omni_gateway.redaction.credentials import masked

MEDIA_TYPE = "application/problem+json"
_CODE = "omni_gateway.problem"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A problem type: default status, title, meaning, advice to the caller, and whether a retry may succeed."""

    status: int
    title: str
    meaning: str
    advice: str
    retryable: bool = False


CATALOGUE: Mapping[str, ProblemType] = {
    "bad-request": ProblemType(
        400,
        "Bad request",
        "The request cannot be understood.",
        "Mend what `detail` names; the same request fails again.",
    ),
    "bad-json": ProblemType(
        400,
        "Bad JSON",
        "The body is not JSON, or JSON that could be read in two ways.",
        "Send one JSON value in UTF-8, without repeated members, NaN, or numbers beyond 64 bits.",
    ),
    "bad-yaml": ProblemType(
        400,
        "Bad YAML",
        "The body is not YAML, or uses what JSON does not have, such as tags.",
        "Send plain YAML: mappings, lists, texts, numbers, booleans and null.",
    ),
    "unauthenticated": ProblemType(
        401,
        "Missing or invalid credential",
        "Send a valid token: `Authorization: Bearer …`.",
        "Make a token with `omni-gateway token create`, or ask an admin for one (`POST /api/v1/auth/tokens`).",
    ),
    "bad-ticket": ProblemType(
        401,
        "Ticket refused",
        "The ticket of a stream was used, has expired, or is for another request.",
        "Make a new ticket by `POST /api/v1/stream-tickets`; each opens one stream, once.",
    ),
    "forbidden": ProblemType(
        403,
        "Forbidden",
        "Your role is too low; the answer names the one that is needed.",
        "Use a token of that role; `GET /api/v1/auth/can-i` tells what yours may do.",
    ),
    "cross-site": ProblemType(
        403,
        "Cross-site request refused",
        "A web page of another origin asked for a change; `OMNI_GATEWAY_CORS_ORIGINS` names the origins that may.",
        "Have the operator of the gateway add the page's origin to that setting, or call from a server.",
    ),
    "omni-forbidden": ProblemType(
        403,
        "Forbidden by Omni",
        "Omni does not allow this to anyone, or not to the gateway's key.",
        "Where `detail` names a role, have an Omni admin give it to the gateway's service account, or to your key.",
    ),
    "not-found": ProblemType(
        404,
        "Not found",
        "There is no such object, route or operation.",
        "Look at the names in the collection's list; `/api/v1` lists the collections.",
    ),
    "not-yet": ProblemType(
        404,
        "Not there yet",
        "Omni creates this some time after the object it belongs to; try again after `Retry-After`.",
        "Send the request again after the seconds in `Retry-After`.",
        retryable=True,
    ),
    "method-not-allowed": ProblemType(
        405,
        "Method not allowed",
        "The `Allow` header names the methods there are.",
        "Use one of the methods in `Allow`.",
    ),
    "not-acceptable": ProblemType(
        406,
        "Not acceptable",
        "The answer has no form that `Accept` names.",
        "Leave `Accept` and `Accept-Encoding` out, or name a form that the document lists for this route.",
    ),
    "request-timeout": ProblemType(
        408,
        "Request timeout",
        "The request did not come in whole in time.",
        "Send it again; look at the connection if it stays so.",
        retryable=True,
    ),
    "conflict": ProblemType(
        409,
        "Conflict",
        "The object's present state is in the way; `hint` says what to do first.",
        "Do what `hint` says, then send the request again.",
    ),
    "ambiguous-name": ProblemType(
        409,
        "Name of several machines",
        "Several machines have this host name; `candidates` has the id of each.",
        "Send the request with one of the ids in `candidates`.",
    ),
    "changed-meanwhile": ProblemType(
        409,
        "Changed meanwhile",
        "Other writes changed the object during each attempt.",
        "Read the object again, and send the change again if it is still wanted.",
        retryable=True,
    ),
    "too-early": ProblemType(
        409,
        "Too early",
        "Omni has not processed yet what this depends on; send it again after `Retry-After`.",
        "Send the request again after the seconds in `Retry-After`.",
        retryable=True,
    ),
    "exists": ProblemType(
        409,
        "Exists already",
        "There is an object of this name; `Location` names it.",
        "Change the object with PUT or PATCH, or choose another name.",
    ),
    "tearing-down": ProblemType(
        409,
        "Tearing down",
        "The object is being removed and takes no writes.",
        "Wait until the object is gone (404), then create it again if it is wanted.",
    ),
    "idempotency-conflict": ProblemType(
        409,
        "First request still running",
        "The first request with this Idempotency-Key has not ended.",
        "Send the same request with the same key again after `Retry-After`: it returns the first one's response.",
        retryable=True,
    ),
    "outcome-unknown": ProblemType(
        409,
        "Outcome unknown",
        "The first request with this Idempotency-Key ended without a response; it may have been applied.",
        "Read the object to see whether the change is there; send a new request with a new key if it is not.",
    ),
    "gone": ProblemType(
        410,
        "Gone",
        "The watch's history does not reach back that far; list again.",
        "List again, and watch from the list's resume point.",
    ),
    "stale-precondition": ProblemType(
        412,
        "Precondition failed",
        "`If-Match` names another state of the object, or `If-None-Match` this one.",
        "Read the object again, merge your change, and send it with the new ETag.",
    ),
    "too-large": ProblemType(
        413,
        "Too large",
        "The body, or what Omni would have to send, exceeds a limit.",
        "Send less: several requests, or a narrower `label_selector` or `fields`.",
    ),
    "uri-too-long": ProblemType(
        414,
        "URI too long",
        "The path and its query are longer than 8 KiB.",
        "Move what you can into the body, or ask for fewer objects at once.",
    ),
    "unsupported-media-type": ProblemType(
        415,
        "Unsupported media type",
        "The body is of a type this route cannot read.",
        "Send the `Content-Type` that `Accept-Post` or `Accept-Patch` names, without a content coding.",
    ),
    "range-not-satisfiable": ProblemType(
        416,
        "Range not satisfiable",
        "The file has no such part as `Range` names.",
        "`Content-Range` has the file's length, if it is known; a download that has it all is complete.",
    ),
    "validation": ProblemType(
        422,
        "Invalid field or parameter",
        "A field or parameter is wrong; `errors` names each.",
        "Mend the fields that `errors` names.",
    ),
    "unknown-parameter": ProblemType(
        422,
        "Unknown parameter",
        "A query parameter that this route does not have.",
        "Take the parameter out or correct its name; the document lists those of each route.",
    ),
    "bad-selector": ProblemType(
        422,
        "Bad selector",
        "The label selector cannot be read.",
        "Write it as kubectl does: `key=value`, `key!=value`, `key in (a, b)`, `key`, `!key`, joined by commas.",
    ),
    "refused-by-omni": ProblemType(
        422,
        "Value refused by Omni",
        "Omni refuses a value; `detail` is its reason.",
        "Change the value as Omni's reason says.",
    ),
    "apply-incomplete": ProblemType(
        422,
        "Not all was applied",
        "`results` has the outcome of each document, and its reason.",
        "Mend the documents whose result is an error, and apply again: what is applied already stays `unchanged`.",
    ),
    "idempotency-mismatch": ProblemType(
        422,
        "Key used for another request",
        "This Idempotency-Key came with another request before.",
        "Use a new Idempotency-Key for each new request.",
    ),
    "rate-limited": ProblemType(
        429,
        "Too many requests",
        "You exceeded the limit in `RateLimit`; go on after `Retry-After`.",
        "Wait for `Retry-After`, and send fewer requests; a watch replaces polling.",
        retryable=True,
    ),
    "omni-rate-limited": ProblemType(
        429,
        "Too many calls to Omni",
        "Omni takes no more calls for now, whichever caller of the gateway they are for; `RateLimit` is another limit.",
        "Wait for `Retry-After`, and send fewer requests at a time.",
        retryable=True,
    ),
    "too-many-failed-logins": ProblemType(
        429,
        "Too many failed logins",
        "Refused credentials came from your address; wait before you try another.",
        "Mend the credential, and wait for `Retry-After`.",
        retryable=True,
    ),
    "too-many-own-streams": ProblemType(
        429,
        "Too many streams of yours",
        "You have as many streams open as one caller may.",
        "End streams that you no longer read, or watch a whole collection by one stream.",
        retryable=True,
    ),
    "too-many-tickets": ProblemType(
        429,
        "Too many tickets",
        "You have as many unused tickets of streams as one caller may.",
        "Use the tickets you have, or wait until they expire.",
        retryable=True,
    ),
    "too-many-own-requests": ProblemType(
        429,
        "Too many requests of yours at once",
        "You have as many requests waiting as one caller may.",
        "Send the request again after `Retry-After`, with fewer at a time.",
        retryable=True,
    ),
    "headers-too-large": ProblemType(
        431,
        "Headers too large",
        "A header field is larger than 16 KiB, or there are more than 64, or 64 KiB of them.",
        "Send fewer or shorter header fields; cookies are not needed here.",
    ),
    "internal": ProblemType(
        500,
        "Internal error",
        "A defect of the gateway; its log has the request id.",
        "Report it with the `request_id`; whether a write was applied is shown by reading the object.",
    ),
    "plugin-error": ProblemType(
        500,
        "Plugin failed",
        "A defect of a plugin that is not part of the gateway; `plugin` and `distribution` name it.",
        "Report it to the plugin's authors, with the `request_id`; whether a write was applied is shown by reading the"
        " object.",
    ),
    "not-implemented": ProblemType(
        501,
        "Not implemented",
        "Omni, or this gateway as it is set up, cannot do this.",
        "`detail` says what is missing: a newer Omni, or a setting of the gateway.",
    ),
    "omni-credential": ProblemType(
        502,
        "Omni refuses the gateway's key",
        "The key is unknown, expired or revoked.",
        "Have the operator of the gateway renew the service account's key in Omni.",
    ),
    "omni-error": ProblemType(
        502,
        "Omni failed",
        "Omni answered with an error that says no more.",
        "Look at `detail` and at Omni's log; a request that only reads may be sent again.",
    ),
    "omni-unreachable": ProblemType(
        503,
        "Omni unreachable",
        "Omni cannot be reached; try again later.",
        "Send the request again after `Retry-After`; `/health` shows the state of Omni.",
        retryable=True,
    ),
    "machine-unreachable": ProblemType(
        503,
        "Machine unreachable",
        "The machine's own Talos API cannot be reached through Omni: it is going down, coming up or cut off.",
        "Wait until `GET /api/v1/machines/{id}` shows the machine as connected, then send the request again.",
        retryable=True,
    ),
    "back-end-unreachable": ProblemType(
        503,
        "Back end unreachable",
        "What this resource is read from or written to, which is not Omni, does not answer.",
        "Send the request again later; tell those who run that back end if it goes on.",
        retryable=True,
    ),
    "store-unavailable": ProblemType(
        503,
        "Store unavailable",
        "The gateway's own database cannot be used now; try again later.",
        "Send the request again after `Retry-After`; `/health` shows the state of the store.",
        retryable=True,
    ),
    "too-many-streams": ProblemType(
        503,
        "Too many streams",
        "This worker has as many streams open as it may.",
        "Open the stream again after `Retry-After`, or have the operator raise `OMNI_GATEWAY_MAX_STREAMS`.",
        retryable=True,
    ),
    "overloaded": ProblemType(
        503,
        "Too many requests at once",
        "Too many requests wait already; this one was not started. Send it again.",
        "Send the request again after `Retry-After`.",
        retryable=True,
    ),
    "not-ready": ProblemType(
        503,
        "Not ready",
        "The gateway is starting or stopping.",
        "Send the request again in some seconds; `/readyz` shows when the gateway is ready.",
        retryable=True,
    ),
    "omni-timeout": ProblemType(
        504,
        "Omni timed out",
        "Omni did not answer in time; a write may have been applied.",
        "Send a read again; before you send a write again, read the object, or use an `Idempotency-Key`.",
        retryable=True,
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
    416: "range-not-satisfiable",
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

    Raises ``ValueError`` for a ``code`` that is not in the table of docs/problems.md.
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
        if code not in CATALOGUE:
            raise ValueError(f"{code!r} is no code of docs/problems.md{did_you_mean(code, CATALOGUE)}")
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
            "detail": in_nouns(self.detail),
            "code": self.code,
            "retryable": CATALOGUE[self.code].retryable,
        }
        document |= request_members()
        if self.errors is not None:
            document["errors"] = {name: [in_nouns(text) for text in texts] for name, texts in self.errors.items()}
        for name in ("hint", "grpc_code"):
            if (value := getattr(self, name)) is not None:
                document[name] = in_nouns(value)
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


def without_request(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a problem's document without the members about its request: one of many problems of one answer."""
    return {name: value for name, value in document.items() if name not in ("instance", "request_id")}


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

    optional_in_answers = frozenset({"instance", "request_id", "grpc_code", "hint", "errors"})

    class Meta:
        """Some kinds have members of their own (RFC 9457 §3.2); readers ignore those they do not know."""

        unknown = ma.INCLUDE

    type = fields.String(
        metadata={
            "format": "uri-reference",
            "description": "A page about this kind of error",
            "example": "/problems/not-found",
        }
    )
    title = fields.String(
        metadata={"description": "Name of this kind of error, the same for each", "example": "Not found"}
    )
    status = fields.Integer(metadata={"description": "HTTP status of the answer", "example": 404})
    detail = fields.String(
        metadata={
            "description": "What is wrong with this request, for people",
            "example": "There is no cluster 'my-cluster'.",
        }
    )
    instance = fields.String(
        metadata={
            "description": "Path of the request that the problem is about",
            "example": "/api/v1/clusters/my-cluster",
        }
    )
    code = fields.String(
        metadata={
            "enum": list(CATALOGUE),
            "description": "Stable name of this kind of error, for programs",
            "example": "not-found",
        }
    )
    request_id = fields.String(
        metadata={
            "description": "Id of the request in the gateway's log, also in `X-Request-ID`",
            "example": "0d9f1c52-7a4e-4b7e-9a53-1f2d3c4b5a69",
        }
    )
    retryable = fields.Boolean(metadata={"description": "Whether the same request may succeed later", "example": False})
    grpc_code = fields.String(
        metadata={"description": "Omni's own status code, when Omni was asked", "example": "NOT_FOUND"}
    )
    hint = fields.String(metadata={"description": "What to do instead", "example": ""})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={
            "description": "Field or parameter, by its dotted name → the faults of its value",
            "example": {"spec.machine_count": ["Must be at least 0."]},
        },
    )
