"""Requests that the gateway sends to itself, one for each object of a bulk request.

Such a request passes the whole application, so that it is checked, answered, counted and audited like one of the
caller's own. Its caller is known already, and it does not count for the rate limit: the bulk request did.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import unquote_to_bytes

from flask import Flask, Request
from werkzeug.test import run_wsgi_app

from omni_gateway.auth import Principal
from omni_gateway.http.guard import act_as
from omni_gateway.http.request_id import HEADER, request_id

#: In a request's environ: the gateway has made this request itself. No HTTP request can set it.
INTERNAL = "omni_gateway.internal"
#: In such a request's environ: the object of its URL, as it was read just now.
KNOWN = "omni_gateway.known"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from and how it named this gateway; a request made on its behalf has the same."""

    scheme: str
    host: str
    root: str
    server_name: str
    server_port: str
    remote: str
    request_id: str

    @classmethod
    def of(cls, request: Request) -> Self:
        """Return the origin of the current request."""
        environ = request.environ
        return cls(
            environ["wsgi.url_scheme"],
            environ.get("HTTP_HOST", ""),
            environ.get("SCRIPT_NAME", ""),
            environ.get("SERVER_NAME", ""),
            str(environ.get("SERVER_PORT", "")),
            environ.get("REMOTE_ADDR", ""),
            request_id(),
        )

    def to_dict(self) -> dict[str, str]:
        """Return the members by name."""
        return asdict(self)

    def environ(
        self, principal: Principal, method: str, path: str, query: str = "", body: bytes = b"", media_type: str = ""
    ) -> dict[str, Any]:
        """Return the WSGI environ of a request; ``path`` is encoded as it is in a URL."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": self.root,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "RAW_URI": f"{self.root}{path}?{query}",
            "QUERY_STRING": query,
            "SERVER_NAME": self.server_name,
            "SERVER_PORT": self.server_port,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.remote,
            "HTTP_HOST": self.host,
            f"HTTP_{HEADER.upper().replace('-', '_')}": self.request_id,
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": media_type,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            INTERNAL: True,
        }
        act_as(environ, principal)
        return environ


@dataclass(frozen=True, slots=True)
class Reply:
    """The response to a request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def send(app: Flask, environ: dict[str, Any]) -> Reply:
    """Return the application's response to a request."""
    parts, status, headers = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    return Reply(int(status.partition(" ")[0]), dict(headers), b"".join(parts))
