"""A deadline for all of a request's calls to Omni, counted from its arrival."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from flask import Flask

from omni_gateway.omni import deadline

#: In a request's environ: when it arrived (monotonic), under a server that queues requests.
ARRIVED = "omni_gateway.arrived"


def init_app(app: Flask, seconds: float) -> None:
    """Set each request's deadline to ``seconds`` after its arrival; a stream's body, sent afterwards, is not bound."""
    application = app.wsgi_app

    def bounded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        token = deadline.begin((environ.get(ARRIVED) or time.monotonic()) + seconds)
        try:
            return application(environ, start_response)
        finally:
            deadline.end(token)

    app.wsgi_app = bounded  # type: ignore[method-assign]
