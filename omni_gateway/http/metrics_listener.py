"""A listener of its own for metrics and health, so that a scraper needs no way to the API, and on loopback no token.

Requests that arrive there get these routes only, and 404 for everything else. The server tells by which listener a
request came: no header does, for a client, or a proxy's client, could set it.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from flask import Flask, request

from omni_gateway.auth import Principal, Role
from omni_gateway.host_names import Authority, ip_and_port
from omni_gateway.http.guard import act_as
from omni_gateway.http.hosts import is_loopback
from omni_gateway.http.problems import Problem

PATHS = ("/metrics", "/metrics/fleet", "/livez", "/readyz", "/health")
#: The caller of a request without a credential, on loopback.
SCRAPER = Principal("metrics", Role.READER, "metrics-listener", "off")


def init_app(app: Flask, bind: str) -> None:
    """Restrict requests that arrive at ``bind``; empty: there is no such listener.

    Called first of all, so that the check runs before anything looks for a caller.
    """
    if not bind:
        return
    address = ip_and_port(bind)

    def restrict() -> None:
        # The buffer that the server gives as the socket knows its listener; other servers have no such listener.
        listener = getattr(request.environ.get("gunicorn.socket"), "listener", None)
        if not isinstance(listener, tuple) or _plain(listener) != address:
            return
        if request.path not in PATHS:
            raise Problem(404, "not-found", "This address has metrics and health only.")
        if ipaddress.ip_address(address[0]).is_loopback and "Authorization" not in request.headers:
            _check_host()
            act_as(request.environ, SCRAPER)

    app.before_request(restrict)


def _plain(listener: tuple[Any, ...]) -> tuple[str, int]:
    return str(ipaddress.ip_address(str(listener[0]).partition("%")[0])), int(listener[1])


def _check_host() -> None:
    """Refuse a page of a browser on this machine whose host name was made to resolve to loopback."""
    authority = Authority.parse(request.headers.get("Host", ""))
    if authority is None or not is_loopback(authority.name):
        raise Problem(400, "bad-request", "Without a credential this address answers to loopback's names only.")
