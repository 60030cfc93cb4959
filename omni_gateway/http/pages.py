"""The pages for browsers: the viewer of the document at ``/``, the files that pages load, and their common layout.

The pages work under the policy that every answer has (:mod:`omni_gateway.http.headers`): no inline script, nothing from
another host.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

from flask import Blueprint, Response, render_template, request

from omni_gateway.http.content_coding import IMMUTABLE, REVALIDATE, EncodedContent
from omni_gateway.http.guard import public
from omni_gateway.http.problems import Problem

_TEMPLATES = Path(__file__).parent / "templates"
_DAY = "public, max-age=86400"


def _files() -> dict[str, Path]:
    """Return the files that pages load, by the names in their URLs.

    Scalar comes in a plugin of flask-openapi, which is not imported: only its script is used.
    """
    package = find_spec("flask_openapi_scalar")
    assert package is not None and package.origin is not None, "flask-openapi-scalar is a dependency"
    scalar = Path(package.origin).parent / "templates" / "scalar" / "js" / "scalar.standalone.js"
    own = {name: _TEMPLATES / name for name in ("page.css", "viewer.css", "viewer.js", "favicon.ico")}
    return {**own, "scalar.js": scalar}


class Assets:
    """Files with their digest in their URL, so that browsers may keep them for ever; read at the first request."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files
        self._read: dict[str, EncodedContent] = {}
        self._lock = Lock()

    def content(self, name: str) -> EncodedContent:
        """Return a file's content; raises :class:`KeyError` for an unknown name."""
        path = self._files[name]
        with self._lock:
            if name not in self._read:
                media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
                self._read[name] = EncodedContent(path.read_bytes(), media_type)
            return self._read[name]

    def url(self, name: str) -> str:
        """Return the URL of a file."""
        return f"/assets/{self.content(name).digest}/{name}"


def blueprint(*, simulator: bool) -> Blueprint:
    """Return the routes; ``simulator``: pages say that the clusters and machines are not real."""
    routes = Blueprint("pages", __name__, template_folder="templates")
    assets = Assets(_files())

    @routes.app_context_processor
    def layout() -> dict[str, Any]:
        return {"asset": assets.url, "simulator": simulator}

    @routes.get("/")
    @routes.get("/docs")
    @public
    def viewer() -> Response:
        """Return the page of the document."""
        return Response(render_template("viewer.html"), headers={"Cache-Control": REVALIDATE}, mimetype="text/html")

    @routes.get("/assets/<digest>/<name>")
    @public
    def asset(digest: str, name: str) -> Response:
        """Return a file that pages load; 404 for one of another release."""
        try:
            content = assets.content(name)
        except KeyError:
            content = None
        if content is None or content.digest != digest:
            raise Problem(404, "not-found", "There is no such file; pages name those that there are.")
        return content.response(request, IMMUTABLE)

    @routes.get("/favicon.ico")
    @public
    def favicon() -> Response:
        """Return the icon."""
        return assets.content("favicon.ico").response(request, _DAY)

    return routes
