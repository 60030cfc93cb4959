"""``X-Request-ID``: taken from the caller when it is fit to be logged, made otherwise, sent back on every answer."""

from __future__ import annotations

import re
import secrets

from flask import Flask, Response, request

HEADER = "X-Request-ID"
_ENVIRON = "omni_gateway.request_id"
_FIT = re.compile(r"[A-Za-z0-9._-]{1,128}")


def request_id() -> str:
    """Return the id of the request in flight.

    Kept with the request and not in ``g``, which requests inside one application context share.
    """
    kept = request.environ.get(_ENVIRON)
    if kept is None:
        given = request.headers.get(HEADER, "")
        kept = request.environ[_ENVIRON] = given if _FIT.fullmatch(given) else secrets.token_hex(12)
    return str(kept)


def init_app(app: Flask) -> None:
    """Send the id back with every answer."""

    def send_back(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        return response

    app.after_request(send_back)
