"""``X-Request-ID``: taken from the caller when it is fit to be logged, made otherwise, sent back on every answer."""

from __future__ import annotations

import os
import re
import secrets
from itertools import count

from flask import Flask, Response, request

HEADER = "X-Request-ID"
_ENVIRON = "omni_gateway.request_id"
_FIT = re.compile(r"[A-Za-z0-9._-]{1,128}")


class _Ids:
    """Ids that no other process makes: what they begin with is drawn, and drawn again after a fork."""

    def __init__(self) -> None:
        self.begin()
        os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        self._beginning, self._numbers = secrets.token_hex(8), count()

    def next(self) -> str:
        return f"{self._beginning}{next(self._numbers):08x}"


_ids = _Ids()


def request_id() -> str:
    """Return the id of the request in flight: unlike any other, and no secret.

    Kept with the request and not in ``g``, which requests inside one application context share.
    """
    kept = request.environ.get(_ENVIRON)
    if kept is None:
        given = request.headers.get(HEADER, "")
        kept = request.environ[_ENVIRON] = given if _FIT.fullmatch(given) else _ids.next()
    return str(kept)


def init_app(app: Flask) -> None:
    """Send the id back with every answer."""

    def send_back(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        return response

    app.after_request(send_back)
