"""The pages for browsers: an index of the operations at ``/``, the viewer at ``/docs``, and the files that pages load.

The index is plain HTML, for viewers take seconds to show 240 operations; it leads to the viewer with the document of
one tag. The pages work under the policy that every answer has (:mod:`omni_gateway.http.headers`): no inline script,
nothing from another host.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

import orjson
from flask import Blueprint, Response, render_template, request

from omni_gateway.http.content_coding import IMMUTABLE, REVALIDATE, EncodedContent
from omni_gateway.http.document import DocumentForms, Selection
from omni_gateway.http.guard import public
from omni_gateway.http.problems import Problem

TEMPLATES = Path(__file__).parent / "templates"
_OWN_FILES = ("bar.css", "page.css", "index.css", "index.js", "viewer.css", "viewer.js", "no-eval.js", "favicon.ico")
_DAY = "public, max-age=86400"
_HTML = "text/html"
_METHODS = ("get", "post", "put", "patch", "delete")


def _files() -> dict[str, Path]:
    """Return the files that pages load, by the names in their URLs.

    Scalar comes in a plugin of flask-openapi, which is not imported: only its script is used.
    """
    package = find_spec("flask_openapi_scalar")
    assert package is not None and package.origin is not None, "flask-openapi-scalar is a dependency"
    scalar = Path(package.origin).parent / "templates" / "scalar" / "js" / "scalar.standalone.js"
    return {**{name: TEMPLATES / name for name in _OWN_FILES}, "scalar.js": scalar}


class Assets:
    """Files with their digest in their URL, so that browsers may keep them for ever; read at the first request.

    :param files: the files by the names in their URLs.
    :param prefix: the beginning of their URLs.
    """

    def __init__(self, files: Mapping[str, Path], prefix: str = "/assets") -> None:
        self._files = files
        self._prefix = prefix
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
        return f"{self._prefix}/{self.content(name).digest}/{name}"

    def find(self, digest: str, name: str) -> EncodedContent | None:
        """Return the content of a file by both parts of its URL; None if there is no such file of this release."""
        content = self.content(name) if name in self._files else None
        return content if content is not None and content.digest == digest else None


@dataclass(frozen=True, slots=True)
class IndexLink:
    """A link of the index to a page of a plugin; ``role`` is empty for a public page."""

    url: str
    title: str
    role: str = ""


def blueprint(forms: DocumentForms, links: Sequence[IndexLink] = (), *, simulator: bool) -> Blueprint:
    """Return the routes; ``simulator``: pages say that the clusters and machines are not real.

    ``links``: those of the index to pages of plugins.
    """
    routes = Blueprint("pages", __name__, template_folder="templates")
    assets = Assets(_files())

    @routes.app_context_processor
    def layout() -> dict[str, Any]:
        return {"asset": assets.url, "simulator": simulator}

    @cache
    def rendered_index() -> EncodedContent:
        document = orjson.loads(forms.whole)
        groups = list(_groups(document))
        count = sum(len(tag["operations"]) for group in groups for tag in group["tags"])
        page = render_template("index.html", info=document["info"], groups=groups, count=count, links=links)
        return EncodedContent(page.encode(), _HTML)

    @routes.get("/")
    @public
    def index() -> Response:
        """Return the page that lists the operations by tag."""
        return rendered_index().response(request, REVALIDATE)

    @routes.get("/docs")
    @public
    def viewer() -> Response:
        """Return the viewer of the operations that the query selects, as that of the document does."""
        selected = forms.selection(request)
        page = render_template("viewer.html", document=forms.url("json", selected), tag=selected.tag)
        return Response(page, headers={"Cache-Control": REVALIDATE}, mimetype=_HTML)

    @routes.get("/assets/<digest>/<name>")
    @public
    def asset(digest: str, name: str) -> Response:
        """Return a file that pages load; 404 for one of another release."""
        content = assets.find(digest, name)
        if content is None:
            raise Problem(404, "not-found", "There is no such file; pages name those that there are.")
        return content.response(request, IMMUTABLE)

    @routes.get("/favicon.ico")
    @public
    def favicon() -> Response:
        """Return the icon."""
        return assets.content("favicon.ico").response(request, _DAY)

    return routes


def _groups(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the groups of tags in their order (``x-tagGroups``), each tag with its title and operations.

    Tags of no group follow at the end.
    """
    tags = {tag["name"]: _tag(document, tag) for tag in document.get("tags", ())}
    for group in document.get("x-tagGroups", ()):
        if present := [tags.pop(name) for name in group["tags"] if name in tags]:
            yield {"name": group["name"], "tags": present}
    if tags:
        yield {"name": "More" if "x-tagGroups" in document else "", "tags": list(tags.values())}


def _tag(document: Mapping[str, Any], tag: Mapping[str, Any]) -> dict[str, Any]:
    url = f"/docs{Selection(tag=tag['name']).query()}"
    operations = [
        {
            "method": method,
            "path": path,
            "summary": item[method].get("summary", ""),
            "role": item[method].get("x-required-role"),
            "deprecated": item[method].get("deprecated", False),
            "url": f"{url}#tag/{quote(tag['name'], safe='')}/{quote(item[method].get('operationId', ''))}",
        }
        for path, item in document["paths"].items()
        for method in _METHODS
        if tag["name"] in item.get(method, {}).get("tags", ())
    ]
    return {
        "name": tag["name"],
        "title": tag.get("x-displayName", tag["name"]),
        "description": tag.get("description", ""),
        "url": url,
        "operations": operations,
    }
