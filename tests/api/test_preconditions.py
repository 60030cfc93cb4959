"""If-Match and If-None-Match on writes (RFC 9110 §13); the conformance classes ask each resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from .conftest import Caller

ANY = {"If-None-Match": "*"}
#: A collection that the caller may write, and a body without its id.
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "declared": ("machineclasses", {"match_labels": ["a = b"]}),
    "by type": ("resources/machineclasses", {"spec": {"match_labels": ["a = b"]}}),
}
Url = tuple[str, dict[str, Any]]


@pytest.fixture(params=FORMS.values(), ids=FORMS)
def missing(api: Caller, request: pytest.FixtureRequest) -> Iterator[Url]:
    """The URL of an object that is not there, and what it might be."""
    collection, body = request.param
    id = f"put-{uuid4().hex[:8]}"
    yield f"{collection}/{id}", {**body, "id": id}
    api.delete(f"{collection}/{id}")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def test_a_put_makes_what_is_missing_only_where_it_is_asked_to(api: Caller, missing: Url) -> None:
    url, body = missing
    assert code(api.put(url, json=body)) == (404, "not-found")
    made = api.put(url, json=body, headers=ANY)
    assert (made.status_code, made.headers["Location"]) == (201, f"/api/v1/{location(url)}")
    assert api.get(url).headers["ETag"].split("-")[0] == made.headers["ETag"].split("-")[0]


def location(url: str) -> str:
    return url.replace("/machineclasses/", "/MachineClasses.omni.sidero.dev/")


def test_a_second_put_of_the_same_is_412_and_changes_nothing(api: Caller, missing: Url) -> None:
    url, body = missing
    api.put(url, json=body, headers=ANY)
    again = api.put(url, json={**body, "labels": {"a": "b"}}, headers=ANY)
    assert code(again) == (412, "stale-precondition")
    assert (api.get(url).json["labels"], again.headers["ETag"]) == ({}, api.get(url).headers["ETag"])


def test_a_dry_run_of_a_put_that_makes_shows_the_object_and_makes_none(api: Caller, missing: Url) -> None:
    url, body = missing
    told = api.put(f"{url}?dry_run=true", json=body, headers=ANY)
    assert (told.status_code, told.json["id"]) == (200, body["id"])
    assert api.get(url).status_code == 404


def test_a_put_that_makes_checks_as_a_post_does(api: Caller, missing: Url) -> None:
    url, body = missing
    wrong = {**body, "id": "another"}
    assert list(api.put(url, json=wrong, headers=ANY).json["errors"]) == ["id"]
    assert api.put(url, json={"id": body["id"]}, headers=ANY).status_code == 422


def test_a_state_that_if_none_match_names_is_not_written_over(api: Caller, missing: Url) -> None:
    url, body = missing
    tag = api.put(url, json=body, headers=ANY).headers["ETag"]
    for send in (lambda head: api.put(url, json=body, headers=head), lambda head: api.delete(url, headers=head)):
        assert code(send({"If-None-Match": tag})) == (412, "stale-precondition")
    assert api.put(url, json={**body, "labels": {"a": "b"}}, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_put_makes_nothing_where_the_back_end_chooses_the_id(api: Caller) -> None:
    body = {"name": "n", "role": "reader"}
    assert api.put("join-tokens/nothing", json={"name": "n"}, headers=ANY).status_code == 404
    assert api.put("auth/tokens/nothing", json=body, headers=ANY).status_code == 405


def test_a_put_that_makes_takes_the_role_of_a_post(app: Flask, tokens: dict[str, str], missing: Url) -> None:
    url, body = missing
    assert code(Caller(app.test_client(), tokens["reader"]).put(url, json=body, headers=ANY)) == (403, "forbidden")


def test_an_action_goes_on_over_the_state_that_it_names(api: Caller, wait_until: Callable[..., Any]) -> None:
    name = f"pre-{uuid4().hex[:8]}"
    assert api.post("clusters", json={"id": name}).status_code == 201
    tag = api.get(f"clusters/{name}", headers={"Cache-Control": "no-cache"}).headers["ETag"]
    url = f"clusters/{name}/actions/lock"
    assert api.post(url, headers={"If-Match": tag}).status_code == 200
    stale = api.post(f"clusters/{name}/actions/unlock", headers={"If-Match": tag})
    assert code(stale) == (412, "stale-precondition")
    assert "omni.sidero.dev/cluster-locked" in api.get(f"clusters/{name}").json["annotations"]
    api.post(f"clusters/{name}/actions/unlock")
    api.delete(f"clusters/{name}")
