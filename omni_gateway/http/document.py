"""``/openapi.json``, Swagger UI at ``/`` from packaged assets, and a page for each kind of problem."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import flask_swagger_ui
import orjson
from flask import Blueprint, Response, current_app, request, send_from_directory

from omni_gateway.http import etags
from omni_gateway.http.api import DOCUMENT
from omni_gateway.http.guard import public
from omni_gateway.http.problems import CATALOGUE, Problem

_ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>omni-gateway</title>
<link rel="stylesheet" href="/swagger-ui/swagger-ui.css">
<link rel="icon" href="/swagger-ui/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/swagger-ui/start.js"></script>
</body>
</html>
"""
#: In a file of its own, so that the page works under a policy without inline scripts. No validator is ever called.
_START = """\
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: true,
  docExpansion: "none",
});
"""

blueprint = Blueprint("document", __name__)


@blueprint.get("/openapi.json")
@public
def openapi() -> Response:
    """Return the OpenAPI document; 304 if the caller has it already."""
    body: bytes = current_app.extensions[DOCUMENT]
    tag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if etags.if_none_match(request, tag):
        return Response(status=304, headers=headers)
    return Response(body, headers=headers, mimetype="application/json")


@blueprint.get("/")
@public
def swagger_page() -> Response:
    """Return Swagger UI's page."""
    return Response(_PAGE, mimetype="text/html")


@blueprint.get("/swagger-ui/<path:filename>")
@public
def swagger_asset(filename: str) -> Response:
    """Return a script, style sheet or image of Swagger UI."""
    if filename == "start.js":
        return Response(_START, mimetype="text/javascript")
    return send_from_directory(_ASSETS, filename, max_age=86400)


@blueprint.get("/problems/<code>")
@public
def problem_page(code: str) -> Response:
    """Return the catalogue's entry of a problem code; a 404 problem for an unknown one."""
    kind = CATALOGUE.get(code)
    if kind is None:
        raise Problem(404, "not-found", f"There is no kind of problem {code!r}.")
    meaning = {
        "code": code,
        "status": kind.status,
        "title": kind.title,
        "meaning": kind.meaning,
        "retryable": kind.retryable,
    }
    return Response(orjson.dumps(meaning), mimetype="application/json")
