"""Headers of every response: security headers, ``Cache-Control``, and CORS where it is configured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Flask, Response, request
from flask_cors import CORS
from werkzeug.wsgi import ClosingIterator

from omni_gateway.http.guard import principal_of

SIMULATOR = "X-Omni-Simulator"
EXPOSED = (
    "X-Pagination",
    "Link",
    "ETag",
    "Cache-Status",
    "Age",
    "X-Resume-Point",
    "Location",
    "Operation-Location",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "X-Request-ID",
    "Accept-Patch",
    "Idempotency-Replayed",
    SIMULATOR,
)


def _lowered(headers: Mapping[str, str]) -> Sequence[tuple[str, str, str]]:
    return [(name, name.lower(), value) for name, value in headers.items()]


_REVALIDATE = "private, no-cache"
_ALWAYS = _lowered(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline';"
        " frame-ancestors 'none'; base-uri 'none'",
    }
)
#: What :func:`settled` adds to the headers of a response.
_SETTLED = [*((name, value) for name, _, value in _ALWAYS), ("Cache-Control", _REVALIDATE)]
#: Only where the request came over TLS (RFC 6797 §7.2), to the gateway or to a trusted proxy.
_OVER_TLS = _lowered({"Strict-Transport-Security": "max-age=31536000"})


class FinishedResponse(Response):
    """A response whose headers and body were computed before; they are sent as they are.

    ``finished`` has all that :func:`settled` adds, and the body's length; ``headers`` has only those that are added for
    the current request.
    """

    default_mimetype = None

    def __init__(self, status: int, finished: Sequence[tuple[str, str]], body: bytes | None) -> None:
        super().__init__(status=status)
        self._finished = finished
        self._body = body

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Send the status, both groups of headers and the body (none for HEAD)."""
        start_response(self.status, [*self._finished, *self.headers.to_wsgi_list()])
        body = [self._body] if self._body and environ["REQUEST_METHOD"] != "HEAD" else []
        return ClosingIterator(body, self.close) if self._on_close else body


def settled(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers of a read's response with an ETag, and all that :func:`init_app` adds to them."""
    return [*headers, *_SETTLED]


def _settle(response: Response) -> None:
    """Add the headers that the response of the current request does not have yet."""
    if response.status_code in (204, 304):
        response.headers.pop("Content-Type", None)  # there is no content to have one (RFC 9110 §8.3)
    # One pass over the names: `setdefault` scans all headers for each of these.
    present = {name.lower() for name, _ in response.headers}
    fixed = [*_ALWAYS, *_OVER_TLS] if request.is_secure else _ALWAYS
    response.headers.extend([(name, value) for name, lowered, value in fixed if lowered not in present])
    # Only the caller's own cache may store a read, and revalidates it by the tag. A response to a write is not
    # stored at all: it may hold a secret that is returned once.
    if "cache-control" not in present and principal_of(request.environ) is not None:
        revalidated = "etag" in present and request.method in ("GET", "HEAD")
        response.headers.add("Cache-Control", _REVALIDATE if revalidated else "no-store")


def init_app(app: Flask, cors_origins: Sequence[str], *, simulator: bool) -> None:
    """Add the headers to each response; ``simulator`` adds ``X-Omni-Simulator``, to mark data of the embedded Omni."""

    def add(response: Response) -> Response:
        if not isinstance(response, FinishedResponse):
            _settle(response)
        elif request.is_secure:
            response.headers.extend([(name, value) for name, _, value in _OVER_TLS])
        if simulator:
            response.headers[SIMULATOR] = "true"
        return response

    app.after_request(add)
    if cors_origins:
        CORS(app, origins=list(cors_origins), expose_headers=list(EXPOSED), supports_credentials=False, max_age=600)
