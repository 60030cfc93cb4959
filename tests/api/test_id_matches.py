"""``id_matches``: the objects whose ids a regular expression matches, in lists and in watches of every kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from .conftest import Caller
from .streams import told

CLASSES, TYPE, PROVIDERS = "machineclasses", "resources/machineclasses", "oidc/providers"
NDJSON = {"Accept": "application/x-ndjson"}
BODIES: dict[str, dict[str, Any]] = {
    CLASSES: {"match_labels": ["a = b"]},
    TYPE: {"spec": {"match_labels": ["a = b"]}},
    PROVIDERS: {"name": "n", "issuer_url": "https://login.example.com", "client_id": "c"},
}


@pytest.fixture(scope="module")
def token(app: Flask, tokens: dict[str, str]) -> Iterator[str]:
    """What is in the ids of three objects of each kind: ``web-1``, ``web-22`` and ``db-1`` with it before them."""
    caller: Any = Caller(app.test_client(), tokens["admin"])
    token = uuid4().hex[:6]
    urls = [(CLASSES, f"{token}-{end}") for end in ("web-1", "web-22", "db-1")]
    urls += [(PROVIDERS, f"{token}-{end}") for end in ("web-1", "db-1")]
    for url, id in urls:
        assert caller.post(url, json={"id": id, **BODIES[url]}).status_code == 201
    yield token
    for url, id in urls:
        caller.delete(f"{url}/{id}")


@pytest.mark.parametrize("url", [CLASSES, TYPE])
@pytest.mark.parametrize("head", [{}, {"Cache-Control": "no-cache"}], ids=["cached", "from Omni"])
def test_a_list_has_the_ids_that_match_and_counts_them(api: Caller, token: str, url: str, head: dict[str, str]) -> None:
    query = {"id_matches": f"^{token}-web-[0-9]+$", "sort": "-id", "page_size": 1, "page": 2}
    answer = api.get(url, query_string=query, headers=head)
    assert [item["id"] for item in answer.json] == [f"{token}-web-1"]
    assert json.loads(answer.headers["X-Pagination"])["total"] == 2


def test_an_expression_goes_with_other_conditions(api: Caller, token: str) -> None:
    query = {"id_matches": "(web|db)-1$", "search": f"{token}-d"}
    assert [item["id"] for item in api.get(CLASSES, query_string=query).json] == [f"{token}-db-1"]


@pytest.mark.parametrize("url", [CLASSES, TYPE, PROVIDERS])
@pytest.mark.parametrize("head", [{}, {"Cache-Control": "no-cache"}], ids=["cached", "from Omni"])
def test_a_watch_is_told_of_the_ids_that_match_only(api: Caller, token: str, url: str, head: dict[str, str]) -> None:
    answer = api.get(url, query_string={"id_matches": f"{token}-(db|new)"}, headers={**NDJSON, **head})
    events = told(answer)
    seen = [next(events)["object"]["id"]]
    assert next(events)["type"] == "BOOKMARK"
    others = [f"{token}-{end}-{uuid4().hex[:4]}" for end in ("other", "new")]
    for id in others:
        assert api.post(url, json={"id": id, **BODIES[url]}).status_code == 201
    seen.append(next(each["object"]["id"] for each in events if each["type"] == "ADDED"))
    answer.close()
    for id in others:
        api.delete(f"{url}/{id}")
    assert seen == [f"{token}-db-1", others[1]]


def test_a_watch_goes_on_from_a_point_of_the_ids_that_match(api: Caller, token: str) -> None:
    query = {"id_matches": f"{token}-web"}
    point = api.get(CLASSES, query_string=query).headers["X-Resume-Point"]
    answer = api.get(CLASSES, query_string=query, headers={**NDJSON, "Last-Event-ID": point})
    first = next(told(answer))
    answer.close()
    assert (answer.status_code, first["type"]) == (200, "BOOKMARK")


@pytest.mark.parametrize("url", [CLASSES, TYPE, "machines", "audit"])
def test_a_faulty_expression_is_refused_with_its_place(api: Caller, url: str) -> None:
    for head in ({}, NDJSON):
        answer = api.get(url, query_string={"id_matches": "web-(?=1)"}, headers=head)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["id_matches"])
        assert "at character 4: invalid perl operator: (?=" in answer.json["errors"]["id_matches"][0]


def test_an_expression_of_257_characters_is_refused(api: Caller) -> None:
    answer = api.get(CLASSES, query_string={"id_matches": "a" * 257})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["id_matches"])
