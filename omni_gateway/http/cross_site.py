"""Protection against cross-site request forgery by ``Sec-Fetch-Site`` and ``Origin``.

A browser sends both with every unsafe request of a page, and a page can neither omit nor set them. Other clients send
neither of the headers, and are not checked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from flask import Flask, request

from omni_gateway.host_names import Authority
from omni_gateway.http.problems import Problem

#: Methods that change nothing here (RFC 9110 §9.2.1).
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"same-origin", "none"})


def init_app(app: Flask, cors_origins: Sequence[str]) -> None:
    """Answer 403 to unsafe requests from pages of another origin, except those of ``cors_origins``.

    Requests with a bearer token are checked too: a proxy that authenticates browsers by a cookie may have added it.
    """
    allowed = frozenset(origin.lower() for origin in cors_origins)

    def check() -> None:
        if request.method not in _SAFE and _comes_from_elsewhere(allowed):
            raise Problem(403, "cross-site")

    app.before_request(check)


def _comes_from_elsewhere(allowed: Collection[str]) -> bool:
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() in allowed:
        return False
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site.lower() not in _OWN
    return origin is not None and not _is_own(origin)


def _is_own(origin: str) -> bool:
    """Return whether an origin equals the request's own scheme, host and port (default ports filled in)."""
    scheme, separator, rest = origin.partition("://")
    theirs, ours = Authority.parse(rest), Authority.parse(request.headers.get("Host", ""))
    if not separator or theirs is None or ours is None or scheme.lower() != request.scheme:
        return False
    return (theirs.name, theirs.port_for(request.scheme)) == (ours.name, ours.port_for(request.scheme))
