"""Checks of a request before its body is read: content codings, and a dry run for servers that buffer bodies.

Such a server first passes the request on without its body and with :data:`ASKED` in its environ. A request that would
be refused (no such route, no credential, too low a role, an unsupported coding) is answered right away; for any other
:class:`Admitted` is raised before its view runs, and the server reads the body and sends the request again.
"""

from __future__ import annotations

from flask import Flask, request

from omni_gateway.http.problems import Problem

#: In a request's environ: its body has not been read, and may never be.
ASKED = "omni_gateway.admission"
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})


class Admitted(BaseException):
    """The request would reach its view. Not an ``Exception``, so that no error handler on the way catches it."""


def init_app(app: Flask) -> None:
    """Register the checks; call it after the hooks that authenticate the caller and check its role."""
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
    """Raise 415 for a compressed body (RFC 9110 §8.4): its size is unknown until all of it is decompressed."""
    codings = {coding.strip().lower() for coding in value.split(",")} - {"", "identity"}
    if codings:
        detail = f"The body is encoded ({', '.join(sorted(codings))[:64]}); send it without a content coding."
        raise Problem(415, "unsupported-media-type", detail, headers={"Accept-Encoding": "identity"})
