"""Headers on every answer: nothing sniffed, nothing framed, nothing from elsewhere; CORS only where it is set."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Response
from flask_cors import CORS

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
    "X-Request-ID",
    "Accept-Patch",
    "Idempotency-Replayed",
    SIMULATOR,
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline';"
    " frame-ancestors 'none'; base-uri 'none'",
}


def init_app(app: Flask, cors_origins: Sequence[str], *, simulator: bool) -> None:
    """Add the headers; ``simulator`` marks every answer, so that nobody takes the embedded Omni for a real one."""

    def add(response: Response) -> Response:
        if response.status_code in (204, 304):
            response.headers.pop("Content-Type", None)  # there is no content to have one (RFC 9110 §8.3)
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        if simulator:
            response.headers[SIMULATOR] = "true"
        return response

    app.after_request(add)
    if cors_origins:
        CORS(app, origins=list(cors_origins), expose_headers=list(EXPOSED), supports_credentials=False, max_age=600)
