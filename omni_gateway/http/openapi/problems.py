"""The responses with a problem: one component of the OpenAPI document for each status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omni_gateway.http.openapi.headers import ALWAYS, HEADERS
from omni_gateway.http.problems import CATALOGUE, MEDIA_TYPE, Problem, ProblemSchema

#: Of the CATALOGUE: what is sent for any URL, before there is an operation.
_OF_NO_OPERATION = frozenset({"not-ready"})


@dataclass(frozen=True, slots=True)
class ProblemResponse:
    """The response with a problem of one status.

    :param name: its key in the document's components.
    :param description: its text, unless a route has one of its own.
    :param headers: the headers that it may have besides those of every response.
    """

    name: str
    description: str
    headers: Sequence[str] = ()


#: The problems of every operation; public ones have no 401 and no 403.
COMMON = (400, 401, 403, 422, 429, 500, 501, 502, 503, 504)

RESPONSES: Mapping[int, ProblemResponse] = {
    400: ProblemResponse("BadRequest", "A header or the body cannot be parsed"),
    401: ProblemResponse("Unauthorized", "The credential is missing or invalid", ("WWW-Authenticate",)),
    403: ProblemResponse("Forbidden", "The caller's role is too low, or Omni denies the request"),
    404: ProblemResponse("NotFound", "No such object", ("Retry-After",)),
    409: ProblemResponse(
        "Conflict",
        "Not possible in the object's present state",
        ("Location", "Retry-After", "Idempotency-Replayed"),
    ),
    410: ProblemResponse("Gone", "The resume point is too old"),
    412: ProblemResponse(
        "PreconditionFailed",
        "If-Match does not name the current entity tag, or If-None-Match does",
        ("ETag", "Location"),
    ),
    413: ProblemResponse("ContentTooLarge", "The body is too large"),
    415: ProblemResponse(
        "UnsupportedMediaType", "The body has another media type", ("Accept-Encoding", "Accept-Patch", "Accept-Post")
    ),
    416: ProblemResponse("RangeNotSatisfiable", "The file has no such part", ("Content-Range",)),
    422: ProblemResponse(
        "UnprocessableContent",
        "A field or parameter is invalid, or Omni rejects the value",
        ("Idempotency-Replayed",),
    ),
    429: ProblemResponse(
        "TooManyRequests",
        "Too many requests, failed logins or streams, or calls to Omni; `Retry-After` gives the seconds to wait",
        ("Retry-After",),
    ),
    500: ProblemResponse("InternalServerError", "A defect of the gateway, or of the plugin that the problem names"),
    501: ProblemResponse("NotImplemented", "Omni, or this gateway as it is set up, cannot do this"),
    502: ProblemResponse("BadGateway", "Omni failed, or refuses the gateway's key"),
    503: ProblemResponse(
        "ServiceUnavailable",
        "Omni, a machine or the store is unreachable, or the gateway is overloaded",
        ("Retry-After",),
    ),
    504: ProblemResponse("GatewayTimeout", "Omni did not respond in time; a write may have been applied"),
}


def components() -> Mapping[str, Any]:
    """Return the responses by their names, with an example for each code of the status."""
    return {response.name: _component(status, response) for status, response in RESPONSES.items()}


def reference(status: int, description: str = "") -> dict[str, Any]:
    """Return the reference to the response of a status, with a description of its own if it differs."""
    response = RESPONSES[status]
    own = {} if description in ("", response.description) else {"description": description}
    return {"$ref": f"#/components/responses/{response.name}", **own}


def _component(status: int, response: ProblemResponse) -> dict[str, Any]:
    examples = {
        code: {"summary": kind.title, "value": _example(code)}
        for code, kind in CATALOGUE.items()
        if kind.status == status and code not in _OF_NO_OPERATION
    }
    return {
        "description": response.description,
        "headers": {name: name for name in (*ALWAYS, *response.headers)},
        "content": {MEDIA_TYPE: {"schema": ProblemSchema, "examples": examples}},
    }


def _example(code: str) -> dict[str, Any]:
    of_request = {"instance": "/api/v1/clusters/my-cluster", "request_id": HEADERS["X-Request-ID"]["example"]}
    return Problem(CATALOGUE[code].status, code).to_dict() | of_request
