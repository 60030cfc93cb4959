"""Pages of plugins for people: in the gateway's layout, under the policy that every answer has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, request
from jinja2 import BaseLoader, ChoiceLoader, DictLoader, Environment, FileSystemLoader

from omni_gateway.auth import Role
from omni_gateway.http.content_coding import IMMUTABLE, REVALIDATE
from omni_gateway.http.guard import public, require_role
from omni_gateway.http.pages import TEMPLATES, Assets
from omni_gateway.http.parser import GatewayBlueprint
from omni_gateway.http.problems import Problem
from omni_gateway.rest.adapters.base import ResourceAdapter
from omni_gateway.rest.adapters.scoped import within_reach
from omni_gateway.rest.gateway import current_gateway

PREFIX = "/pages"
_LAYOUT = "layout.html"
#: Below ``assets`` are the files that pages load.
_PATH = re.compile(r"(?!assets(/|$))([a-z0-9-]+(/[a-z0-9-]+)*)?")
#: The files beside a template that the page may load.
_LOADED = frozenset({".css", ".js", ".svg", ".png", ".woff2"})
#: What the policy of pages forbids: scripts in the page itself.
_INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<[^>]*\son\w+\s*=|javascript:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """A page for browsers: ``/pages/<plugin>/<path>``. A plugin lists it in its ``pages``; the index links to it.

    :param path: its path below the plugin's pages; empty for the first.
    :param title: the text of the link to it.
    :param template: its Jinja template, which extends ``layout.html``; its name ends with ``.html``. The scripts,
        style sheets and images in its folder are served to everybody; ``file("racks.js")`` in the template is the URL.
    :param role: the role that a caller needs; None: the page is public.
    :param values: called as ``values(adapter)`` for each request; returns what the template shows. Not for a public
        page, whose script has to read the API with the credential of its user.
    :param cluster_independent: whether callers restricted to some clusters may read it; ``values`` then has to look at
        ``adapter.scope``.

    Raises :class:`ValueError` for a path of other characters than lower-case letters, digits and ``-``, a template that
    cannot be read or has a script in it, and a public page with values.
    """

    path: str
    _: KW_ONLY
    title: str
    template: Path
    role: Role | None
    values: Callable[[ResourceAdapter], Mapping[str, Any]] | None = None
    cluster_independent: bool = False

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path):
            raise ValueError(f"the page {self.path!r} has no path of lower-case letters, digits and -")
        if self.template.suffix != ".html":
            raise ValueError(f"{self.template}: values are escaped only in a template whose name ends with .html")
        if self.role is None and self.values is not None:
            raise ValueError(f"{self.template}: a public page has no values, for everybody would read them")
        try:
            text = self.template.read_text()
        except OSError as error:
            raise ValueError(f"{self.template}: {error.strerror}") from error
        if inline := _INLINE.search(text):
            line = text.count("\n", 0, inline.start()) + 1
            raise ValueError(f"{self.template}:{line}: a page has no script in it; put this into a .js file beside it")

    def url(self, plugin: str) -> str:
        """Return the URL of the page."""
        return f"{PREFIX}/{plugin}/{self.path}" if self.path else f"{PREFIX}/{plugin}"


def blueprint(plugin: str, pages: Sequence[Page], adapter: ResourceAdapter) -> Blueprint:
    """Return the routes of a plugin's pages, and of the files that they load."""
    routes = GatewayBlueprint(f"pages/{plugin}", __name__, plugin=plugin)
    folders = {page.template.parent for page in pages}
    assets = {folder: Assets(_files(folder), f"{PREFIX}/{plugin}/assets") for folder in folders}
    for page in pages:
        view = _view(page, adapter, assets[page.template.parent])
        guard = public if page.role is None else require_role(page.role)
        routes.add_url_rule(page.url(plugin), f"page/{page.path}", guard(view))

    def file(digest: str, name: str) -> Response:
        """Return a file that a page loads; 404 for one of another release."""
        for each in assets.values():
            if (content := each.find(digest, name)) is not None:
                return content.response(request, IMMUTABLE)
        raise Problem(404, "not-found", "There is no such file; pages name those that there are.")

    routes.add_url_rule(f"{PREFIX}/{plugin}/assets/<digest>/<name>", "file", public(file))
    return routes


def _view(page: Page, adapter: ResourceAdapter, assets: Assets) -> Callable[[], Response]:
    # The layout is the gateway's, whatever else is in the folder.
    layout = DictLoader({_LAYOUT: (TEMPLATES / _LAYOUT).read_text()})
    loader: BaseLoader = ChoiceLoader([layout, FileSystemLoader(page.template.parent)])

    @cache
    def environment(of: Environment) -> Environment:
        return of.overlay(loader=loader)

    def get() -> Response:
        values: dict[str, Any] = {}
        if page.values is not None:
            bound = current_gateway().reading(adapter)
            values.update(page.values(within_reach(bound, None, cluster_independent=page.cluster_independent)))
        current_app.update_template_context(values)
        template = environment(current_app.jinja_env).get_template(page.template.name)
        text = template.render({**values, "file": assets.url, "title": page.title})
        # What a role protects is left to the headers of every answer: it is not stored.
        headers = {"Cache-Control": REVALIDATE} if page.role is None else {}
        return Response(text, headers=headers, mimetype="text/html")

    return get


def _files(folder: Path) -> dict[str, Path]:
    return {file.name: file for file in folder.iterdir() if file.suffix in _LOADED}
