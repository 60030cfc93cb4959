"""The pages of problems: readable in a browser, JSON for programs."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from omni_gateway.http.problems import CATALOGUE

#: What Firefox and Chromium send for a page.
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_browser_reads_when_a_problem_happens_and_what_to_do(client: FlaskClient, code: str) -> None:
    answer = client.get(f"/problems/{code}", headers=BROWSER)
    page = answer.get_data(as_text=True)
    assert (answer.status_code, answer.mimetype, answer.headers["Vary"]) == (200, "text/html", "Accept")
    assert f"<h1>{CATALOGUE[code].title.replace(chr(39), '&#39;')}</h1>" in page
    assert "When it happens" in page
    assert "What to do" in page
    assert f"/problems/{code}&#34;" in page  # the example document's type
    assert "`" not in page.partition("<pre>")[0]


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/problem+json", "", "text/html;q=0.1, */*"])
def test_a_program_gets_the_same_as_json(client: FlaskClient, accept: str) -> None:
    answer = client.get("/problems/not-yet", headers={"Accept": accept} if accept else {})
    kind = CATALOGUE["not-yet"]
    assert answer.json == {
        "code": "not-yet",
        "status": 404,
        "title": kind.title,
        "meaning": kind.meaning,
        "advice": kind.advice,
        "retryable": True,
    }


def test_the_index_leads_to_all_of_them(client: FlaskClient) -> None:
    page = client.get("/problems", headers=BROWSER).get_data(as_text=True)
    listed = client.get("/problems").json
    assert [code for code in CATALOGUE if f'href="/problems/{code}"' not in page] == []
    assert [entry["code"] for entry in listed] == list(CATALOGUE)


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_a_kind_of_problem_that_there_is_not_is_a_problem(client: FlaskClient, accept: str) -> None:
    answer = client.get("/problems/not-fond", headers={"Accept": accept})
    assert (answer.status_code, answer.json["code"]) == (404, "not-found")
    assert "'not-found'" in answer.json["detail"]
