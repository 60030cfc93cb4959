"""The pages for browsers: what they load is here, under URLs that may be cached for ever."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.http import pages, problem_pages
from omni_gateway.http.document import DocumentForms
from omni_gateway.settings import Settings

HTML = {"Accept": "text/html"}
PAGES = ["/", "/docs", "/docs?tag=clusters", "/problems", "/problems/conflict"]


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def loaded(page: str) -> list[str]:
    """Return what a page loads and links to."""
    return re.findall(r'(?:href|src)="([^"]+)"', page)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_and_links_to_this_gateway_only(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers=HTML)
    urls = {url.partition("#")[0] for url in loaded(answer.text)} - {"", "/api/v1"}  # the latter needs a token
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert len(urls) > 5
    assert {url: client.get(url, headers=HTML).status_code for url in urls} == dict.fromkeys(urls, 200)
    assert [url for url in urls if not url.startswith("/") or url.startswith("//")] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_script_in_it_for_the_policy_allows_none(client: FlaskClient, path: str) -> None:
    page = client.get(path, headers=HTML).text
    assert re.findall(r"<script(?![^>]*\ssrc=)|\son\w+=|javascript:", page) == []


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_what_pages_load_may_be_cached_for_ever_and_is_compressed(client: FlaskClient, coding: str) -> None:
    assets = [
        url for page in PAGES for url in loaded(client.get(page, headers=HTML).text) if url.startswith("/assets/")
    ]
    assert len(set(assets)) == 8
    for url in set(assets):
        answer = client.get(url, headers={"Accept-Encoding": coding})
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers.get("Content-Encoding", "identity") == coding
        again = client.get(url, headers={"Accept-Encoding": coding, "If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304


@pytest.mark.parametrize("name", ["page.css", "layout.html", "..%2Fpages.py", "nothing"])
def test_a_file_that_there_is_not_or_of_another_release_is_404(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/assets/0123456789abcdef/{name}")
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")


@pytest.mark.parametrize("path", ["/", "/docs", "/favicon.ico", "/assets/0/page.css"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_pages_are_only_read(client: FlaskClient, path: str, method: str) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.json["code"]) == (405, "method-not-allowed")


def test_the_icon_is_one(client: FlaskClient) -> None:
    answer = client.get("/favicon.ico")
    assert answer.mimetype in ("image/x-icon", "image/vnd.microsoft.icon")
    assert answer.data.startswith(b"\0\0\1\0")


def test_the_index_leads_to_each_operation_in_the_viewer_of_its_tag(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    page = html.unescape(client.get("/").text)
    missing = [
        operation["operationId"]
        for item in document["paths"].values()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
        and not re.search(rf'href="/docs\?tag=[^"#]+#tag/[^"/]+/{operation["operationId"]}"', page)
    ]
    assert missing == []


def test_the_index_has_the_tags_in_the_groups_and_the_order_of_the_document() -> None:
    operation = {"summary": "List them", "responses": {}}
    document = {
        "info": {"title": "an API", "version": "1"},
        "tags": [
            {"name": "a", "x-displayName": "The as"},
            {"name": "b/c", "description": "Some `code`"},
            {"name": "d"},
        ],
        "x-tagGroups": [{"name": "First", "tags": ["d", "a"]}, {"name": "Second", "tags": ["gone"]}],
        "paths": {
            f"/{tag}": {"get": {**operation, "tags": [tag], "operationId": f"get_{tag[0]}"}}
            for tag in ("a", "b/c", "d")
        },
    }
    app = Flask("pages")
    app.register_blueprint(problem_pages.blueprint)
    app.register_blueprint(pages.blueprint(DocumentForms(json.dumps(document).encode()), simulator=False))
    page = app.test_client().get("/").text
    main = page.partition("<main>")[2]
    assert re.findall(r"<nav class.*?</nav>", page, flags=re.S)[0].count("<h2>") == 2
    assert re.findall(r'<section id="([^"]+)">', main) == ["d", "a", "b/c"]
    assert "Some <code>code</code>" in main
    assert '<a href="/docs?tag=a">The as</a>' in main
    assert 'href="/docs?tag=b%2Fc#tag/b%2Fc/get_b"' in main


@pytest.mark.parametrize("embedded", [True, False])
def test_the_simulator_is_named_where_it_is_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, embedded: bool
) -> None:
    monkeypatch.setattr("omni_gateway.app.discover", lambda **_: [])
    client = create_app(replace(settings, embedded=embedded)).test_client()
    shown = [client.get(path, headers=HTML) for path in ("/", "/docs", "/problems", "/problems/conflict")]
    assert [(page.status_code, "simulator" in page.text) for page in shown] == [(200, embedded)] * len(shown)
