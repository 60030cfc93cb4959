"""What is refused before a request's body is looked at, and where the server asks, before it is read.

A server that buffers bodies may ask first whether the application would take one: it sends the request through without
a body and with :data:`ASKED` in its environ. What would be refused (no such route, no credential, too low a role, a
coding that is not taken) is answered; otherwise :class:`Admitted` is raised, and no view has run.
"""

from __future__ import annotations

from flask import Flask, request

from omni_gateway.http.problems import Problem

#: In a request's environ: its body has not been read, and may never be.
ASKED = "omni_gateway.admission"
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


class Admitted(BaseException):
    """The request would reach its view. Not an ``Exception``: nothing between the view and the server handles it."""


def init_app(app: Flask) -> None:
    """Refuse bodies that are not taken; call it after what finds out who calls."""
    app.before_request(_refuse)


def _refuse() -> None:
    environ = request.environ
    if (coding := environ.get("HTTP_CONTENT_ENCODING")) and request.method not in _WITHOUT_BODY:
        _refuse_coding(coding)
    if ASKED in environ and request.url_rule is not None:
        if request.method in _WITHOUT_BODY:
            raise Problem(413, "too-large", f"{request.method} takes no body.")
        raise Admitted


def _refuse_coding(value: str) -> None:
    """Refuse a compressed body (RFC 9110 §8.4): nobody knows its size before all of it is unpacked."""
    codings = {coding.strip().lower() for coding in value.split(",")} - {"", "identity"}
    if codings:
        detail = f"The body is encoded ({', '.join(sorted(codings))[:64]}); send it as it is."
        raise Problem(415, "unsupported-media-type", detail, headers={"Accept-Encoding": "identity"})
