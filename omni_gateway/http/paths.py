"""The URL of a request, before the application reads it: ids with a slash in them, and tickets of streams.

``%2F`` in a URL is part of an id, not the end of it (RFC 3986 §2.2). WSGI servers decode the path before the
application sees it, so the two look the same in ``PATH_INFO``. The middleware therefore rebuilds it from the raw URL
(``RAW_URI``): an encoded ``/`` or ``%`` stays encoded in ``PATH_INFO``, and the converter of URL variables decodes it
after routing. Under a server without a raw URL, only ids without slashes work.

A stream's ticket (:mod:`omni_gateway.http.stream_tickets`) is a credential in the URL. The middleware takes it out, of
the raw URL too, so that no log, record or error that quotes a URL has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from flask import Flask, request
from werkzeug.routing import Rule, UnicodeConverter

_RAW = ("RAW_URI", "REQUEST_URI")
#: In a request's environ: the ticket in its URL; empty if there were several.
TICKET = "omni_gateway.ticket"
#: The query parameter of a ticket.
TICKET_PARAMETER = "ticket"
_TICKET_GIVEN = f"{TICKET_PARAMETER}="


class RequestUrl:
    """WSGI middleware: takes a ticket out of the URL, and keeps an encoded slash or percent sign in ``PATH_INFO``."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Replace ``PATH_INFO``, with a ticket also the query and the raw URL, and call the application."""
        if _TICKET_GIVEN in environ.get("QUERY_STRING", ""):
            _take_ticket(environ)
        environ["PATH_INFO"] = protected_path(environ)
        return self._application(environ, start_response)  # type: ignore[no-any-return]


def _take_ticket(environ: dict[str, Any]) -> None:
    """Move the ticket from the query and the raw URL to ``TICKET``; servers log the environ, too."""
    parameters: list[str] = environ["QUERY_STRING"].split("&")
    tickets = [each for each in parameters if each.startswith(_TICKET_GIVEN)]
    if not tickets:
        return
    rest = "&".join(each for each in parameters if each not in tickets)
    environ[TICKET] = tickets[0].removeprefix(_TICKET_GIVEN) if len(tickets) == 1 else ""
    environ["QUERY_STRING"] = rest
    for name in _RAW:
        if name in environ:
            path = environ[name].partition("?")[0]
            environ[name] = f"{path}?{rest}" if rest else path


def protected_path(environ: dict[str, Any]) -> str:
    """Return the decoded path, in which ``%2F`` and ``%25`` of the raw URL stay encoded."""
    decoded: str = environ.get("PATH_INFO", "")
    raw = next((environ[name] for name in _RAW if environ.get(name)), "")
    path = raw.partition("?")[0].partition("#")[0]
    if path and "%" not in path and "%" not in decoded:
        return decoded  # nothing is encoded
    protected = "/".join(_protect(segment) for segment in path.split("/"))
    script: str = environ.get("SCRIPT_NAME", "")
    if script and protected.startswith(script):
        protected = protected[len(script) :]
    # A middleware may have changed PATH_INFO; the raw URL counts only if it is the same path.
    same = protected.replace("%2F", "/").replace("%25", "%") == decoded
    return protected if same else decoded.replace("%", "%25")


def _protect(segment: str) -> str:
    plain = unquote_to_bytes(segment.encode("latin-1", "replace"))
    return plain.replace(b"%", b"%25").replace(b"/", b"%2F").decode("latin-1")


class SegmentConverter(UnicodeConverter):
    """A variable of a URL: one path segment, decoded."""

    def to_python(self, value: str) -> str:
        """Return the decoded segment."""
        return value.replace("%2F", "/").replace("%25", "%")


class UrlRule(Rule):
    """A route whose code for ``url_for`` is compiled when it is first called.

    Werkzeug compiles it for each route, a sixth of the time that making an application takes, and the gateway's own
    links are no ``url_for``.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(super()._compile_builder)

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build


def request_path() -> str:
    """Return the current request's path, percent-encoded as in a URL."""
    return quote(request.path, safe="/%")


def init_app(app: Flask) -> None:
    """Install the middleware, the converter and the class of routes; called before the first route is added."""
    app.url_rule_class = UrlRule
    app.wsgi_app = RequestUrl(app.wsgi_app)  # type: ignore[method-assign]
    for name in ("default", "string"):
        app.url_map.converters[name] = SegmentConverter
