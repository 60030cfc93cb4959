"""A plugin's pages: in the gateway's layout, under its policy, with a role or public, linked from the index."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from omni_gateway.plugins.discovery import BrokenPlugin
from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.sdk.extensions import Page
from omni_gateway.settings import Settings
from omni_gateway.store import Store
from resources.machineset import plugin as machine_sets

from .conftest import Caller
from .guide_page import names_of
from .mounted_plugins import app_of

Template = Callable[..., Path]


@pytest.fixture(scope="module")
def paged(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return app_of(settings, [names_of("beyond-routes.md", tmp_path_factory.mktemp("guide"))["rack_map"], machine_sets])


@pytest.fixture
def reader(paged: Flask, tokens: dict[str, str]) -> Caller:
    return Caller(paged.test_client(), tokens["reader"])


@pytest.fixture
def nobody(paged: Flask) -> FlaskClient:
    return paged.test_client()


@pytest.fixture
def template(tmp_path: Path) -> Template:
    def write(text: str = '{% extends "layout.html" %}', name: str = "page.html") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_a_public_page_has_the_gateways_layout_and_policy(nobody: FlaskClient) -> None:
    answer = nobody.get("/pages/rack-map/legend")

    assert (answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) == (200, "text/html", "no-cache")
    assert "<title>What racks are · omni-gateway</title>" in answer.text
    assert '<a class="name" href="/">omni-gateway</a>' in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_a_page_with_a_role_shows_what_the_plugin_reads_and_is_not_stored(reader: Any) -> None:
    answer = reader.get("/pages/rack-map")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert '<table id="racks">' in answer.text


def test_values_are_escaped(settings: Settings, template: Template, tokens: dict[str, str]) -> None:
    page = Page("", title="Mine", template=template("{{ text }}"), role=Role.READER, values=lambda _: {"text": "<b>"})
    app = app_of(settings, [ServicePlugin(name="mine", pages=[page])])
    assert Caller(app.test_client(), tokens["reader"]).get("/pages/mine").text == "&lt;b&gt;"  # type: ignore[attr-defined]


def test_without_the_role_it_is_refused(
    nobody: FlaskClient, paged: Flask, settings: Settings, template: Template, tokens: dict[str, str]
) -> None:
    page = Page("", title="Secrets", template=template(), role=Role.ADMIN)
    secret: Any = Caller(app_of(settings, [ServicePlugin(name="vault", pages=[page])]).test_client(), tokens["reader"])
    assert nobody.get("/pages/rack-map").status_code == 401
    assert secret.get("/pages/vault").status_code == 403


def test_a_caller_of_some_clusters_reads_no_page_about_all(paged: Flask, settings: Settings) -> None:
    token = Store(settings.database_url).tokens.create("held to a page", "reader", None, ["prod-*"])[1]
    held: Any = Caller(paged.test_client(), token)
    assert held.get("/pages/rack-map").status_code == 403


def test_what_a_page_loads_is_there_for_everybody_and_may_be_cached_for_ever(reader: Any, nobody: FlaskClient) -> None:
    [url] = re.findall(r'src="(/pages/[^"]+)"', reader.get("/pages/rack-map").text)

    answer = nobody.get(url)

    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]
    for other in (url.replace("racks.js", "racks.html"), url.replace("racks.js", "..%2Fplugin.py"), f"{url}x"):
        assert nobody.get(other).status_code == 404


def test_the_index_links_to_each_page_with_its_role(nobody: FlaskClient) -> None:
    links = re.findall(r'<a href="(/pages/[^"]*)">([^<]*)</a>(?: <i>(\w+)</i>)?', nobody.get("/").text)
    assert links == [("/pages/rack-map", "Racks", "reader"), ("/pages/rack-map/legend", "What racks are", "")]


def test_a_template_cannot_take_the_place_of_the_layout(settings: Settings, template: Template) -> None:
    template("everything", name="layout.html")
    page = Page("", title="Mine", template=template(), role=None)

    answer = app_of(settings, [ServicePlugin(name="mine", pages=[page])]).test_client().get("/pages/mine")

    assert '<a class="name" href="/">omni-gateway</a>' in answer.text


def test_two_plugins_with_one_url_stop_the_start(settings: Settings, template: Template) -> None:
    first = ServicePlugin(name="a/b", pages=[Page("", title="A", template=template(), role=None)])
    second = ServicePlugin(name="a", pages=[Page("b", title="B", template=template(), role=None)])
    with pytest.raises(BrokenPlugin, match="the page /pages/a/b is taken"):
        app_of(settings, [first, second])


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "inline script": ({"text": "<p>\n<script>alert(1)</script>"}, r"page\.html:2: a page has no script in it"),
    "handler": ({"text": '<a href="/" onclick="x()">'}, r"page\.html:1: a page has no script in it"),
    "name": ({"name": "page.txt"}, r"page\.txt: values are escaped only in a template whose name ends with \.html"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_template_that_would_not_work_is_refused(template: Template, case: str) -> None:
    options, text = REFUSED[case]
    with pytest.raises(ValueError, match=text):
        Page("", title="Mine", template=template(**options), role=None)


def test_a_template_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"page\.html: No such file or directory"):
        Page("", title="Mine", template=tmp_path / "page.html", role=None)


def test_a_public_page_shows_no_values(template: Template) -> None:
    def values(adapter: ResourceAdapter) -> dict[str, Any]:
        return {}

    with pytest.raises(ValueError, match="a public page has no values"):
        Page("", title="Mine", template=template(), role=None, values=values)


@pytest.mark.parametrize("path", ["assets", "assets/x", "Racks", "../x", "x/"])
def test_a_path_that_would_not_work_is_refused(template: Template, path: str) -> None:
    with pytest.raises(ValueError, match="has no path of lower-case letters"):
        Page(path, title="Mine", template=template(), role=None)
