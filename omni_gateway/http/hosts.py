"""Check of the ``Host`` header, against DNS rebinding.

A web page could resolve its own host name to this machine and would then have the same origin as the gateway. Without
authentication and without a list of hosts, only the names and addresses of loopback are therefore answered there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from flask import Flask, request

from omni_gateway.host_names import Authority, Pattern
from omni_gateway.http.problems import Problem


def init_app(app: Flask, allowed: Sequence[str], *, only_loopback: bool) -> None:
    """Answer 400 to a request whose ``Host`` is missing or matches none of ``allowed``; empty: any host is accepted.

    ``only_loopback``: if ``allowed`` is empty, accept names and addresses of loopback only.
    """
    patterns = [Pattern.parse(text) for text in allowed]
    if not patterns and not only_loopback:
        return

    def check() -> None:
        authority = Authority.parse(request.headers.get("Host", ""))
        if authority is None or not any(pattern.fits(authority, request.scheme) for pattern in patterns):
            if authority is not None and not patterns and is_loopback(authority.name):
                return
            raise Problem(400, "bad-request", _detail(authority), hint=_HINT)

    app.before_request(check)


_HINT = "OMNI_GATEWAY_ALLOWED_HOSTS names the hosts that this gateway answers to."


def _detail(authority: Authority | None) -> str:
    if authority is None:
        return "The Host header is missing, or cannot be read."
    return "This gateway does not answer to the host that the Host header names."


def is_loopback(name: str) -> bool:
    """Return whether a host's name, or its address, is one of loopback."""
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
