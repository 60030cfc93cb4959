"""Problem documents for requests that the server rejects before the application is called."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from gunicorn.http import errors

from omni_gateway.http.problems import CATALOGUE, MEDIA_TYPE
from omni_gateway.http.request_id import HEADER as REQUEST_ID
from omni_gateway.http.request_id import new_request_id


class RequestRejected(Exception):
    """A rejected request; ``status`` and ``code`` as in the catalogue of problems, ``retry_after`` in seconds."""

    def __init__(self, status: int, code: str, detail: str | None = None, *, retry_after: int = 5) -> None:
        super().__init__(detail or code)
        self.status = status
        self.code = code
        self.detail = detail or CATALOGUE[code].meaning
        self.retry_after = retry_after
        #: The received part of the request's first line, for the audit; empty if unknown.
        self.start_line = b""
        #: When the request had come in (monotonic seconds); 0 if it had not.
        self.arrived = 0.0
        self.request_id = new_request_id()


_TABLE: Mapping[type[Exception], tuple[int, str]] = {
    errors.LimitRequestLine: (414, "uri-too-long"),
    errors.LimitRequestHeaders: (431, "headers-too-large"),
    errors.UnsupportedTransferCoding: (501, "not-implemented"),
    errors.ExpectationFailed: (417, "bad-request"),
    errors.ConfigurationProblem: (500, "internal"),
    errors.ParseException: (400, "bad-request"),
}
_REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    417: "Expectation Failed",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    503: "Service Unavailable",
}


def refusal_for(error: Exception) -> RequestRejected:
    """Return the rejection for an error of gunicorn's parser, without its text: that may contain the client's bytes."""
    if isinstance(error, RequestRejected):
        return error
    found = next((answer for kind, answer in _TABLE.items() if isinstance(error, kind)), (500, "internal"))
    return RequestRejected(*found)


def written(refused: RequestRejected) -> bytes:
    """Return the whole HTTP response, which announces the end of the connection."""
    kind = CATALOGUE[refused.code]
    body = orjson.dumps(
        {
            "type": f"/problems/{refused.code}",
            "title": kind.title,
            "status": refused.status,
            "detail": refused.detail,
            "code": refused.code,
            "retryable": kind.retryable,
            "request_id": refused.request_id,
        }
    )
    lines = [
        f"HTTP/1.1 {refused.status} {_REASONS.get(refused.status, 'Internal Server Error')}",
        "Server: omni-gateway",
        f"Content-Type: {MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        f"{REQUEST_ID}: {refused.request_id}",
        "X-Content-Type-Options: nosniff",
        *([f"Retry-After: {refused.retry_after}"] if kind.retryable else []),
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
