"""``X-Request-ID``: the caller's own if it is safe to log, else a generated one; sent back on every response."""

from __future__ import annotations

import os
import re
import secrets
from itertools import count
from typing import Any

from flask import Flask, Response, request

HEADER = "X-Request-ID"
_ENVIRON = "omni_gateway.request_id"
_LOGGABLE = re.compile(r"[A-Za-z0-9._-]{1,128}")


class _Ids:
    """A generator of ids unique among processes: a random prefix, drawn again after a fork, and a counter."""

    def __init__(self) -> None:
        self.begin()
        os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        self._prefix, self._numbers = secrets.token_hex(8), count()

    def next(self) -> str:
        return f"{self._prefix}{next(self._numbers):08x}"


#: Return an id for a request that has none: of letters and digits, unique among all processes.
new_request_id = _Ids().next


def request_id() -> str:
    """Return the current request's id: unique, and not secret.

    Stored in the request's environ and not in ``g``, which requests inside one application context share.
    """
    return request_id_of(request.environ)


def request_id_of(environ: dict[str, Any]) -> str:
    """Return the id of the request with this environ."""
    current = environ.get(_ENVIRON)
    if current is None:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        current = environ[_ENVIRON] = given if _LOGGABLE.fullmatch(given) else new_request_id()
    return str(current)


def init_app(app: Flask) -> None:
    """Send the id back with every answer."""

    def send_back(response: Response) -> Response:
        response.headers[HEADER] = request_id_of(request.environ)
        return response

    app.after_request(send_back)
