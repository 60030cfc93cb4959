"""``omni-gateway serve`` with views of constant bytes: what the same gunicorn gives when there is nothing to do.

``/constant/<size>`` is a view of the gateway's own application, ``/bare/<size>`` one of an empty Flask application;
both ask for the same authentication. Run as ``python -m benchmarks.speed_constant serve …``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from flask import Flask, Response
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from omni_gateway import cli
from omni_gateway.app import create_app as gateways_own
from omni_gateway.auth import FailedLogins, Role
from omni_gateway.http import guard, route_access
from omni_gateway.http.stream_tickets import StreamTickets
from omni_gateway.plugins.discovery import Found
from omni_gateway.server import application
from omni_gateway.settings import Settings
from omni_gateway.settings.storage import store_of


@cache
def _bytes(size: int) -> bytes:
    return b'"' + b"x" * (size - 2) + b'"'


@guard.require_role(Role.READER)
def constant(size: int) -> Response:
    """Answer that many bytes."""
    return Response(_bytes(size), mimetype="application/json")


def create_app(settings: Settings, *, plugins: Sequence[Found] | None = None) -> Flask:
    """Return the gateway's application with the constant views beside its own."""
    app = gateways_own(settings, plugins=plugins)
    app.add_url_rule("/constant/<int:size>", view_func=constant)
    route_access.declare(app)  # else it is answered 403: only routes of the start may be called
    bare = Flask("bare", static_folder=None)
    bare.add_url_rule("/<int:size>", view_func=constant)
    logins = FailedLogins(settings.limits_of("failed_logins"), settings.limits_of("failed_logins_in_all"))
    guard.init_app(bare, app.extensions[guard.EXTENSION], logins, StreamTickets(store_of(settings).stream_tickets))
    app.wsgi_app = cast(Any, DispatcherMiddleware(app.wsgi_app, {"/bare": bare}))  # type: ignore[method-assign]
    return app


if __name__ == "__main__":
    cast(Any, application).create_app = create_app
    cli.main()
