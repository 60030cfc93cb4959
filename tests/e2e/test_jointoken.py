"""Join tokens: never shown but once, under handles."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Made, Unique, Wait, problem

URL = "join-tokens"
TYPE = "JoinTokens.omni.sidero.dev"


@pytest.fixture
def token(api: httpx.Client, made: Made, wait_until: Wait) -> dict[str, Any]:
    answer = api.post(URL, json={"name": "e2e", "expiration_time": "2040-01-01T00:00:00Z"})
    assert answer.status_code == 201, answer.text
    url = made(f"{URL}/{answer.json()['id']}")
    wait_until(lambda: api.get(url).json()["state"] == "ACTIVE", 30, "the token's status")
    return dict(answer.json())


def test_a_token_is_told_once_and_is_omnis_id(api: httpx.Client, omni: OmniClient, token: dict[str, Any]) -> None:
    assert omni.resources.get(TYPE, token["token"])["spec"]["name"] == "e2e"
    assert token["token"] not in api.get(URL).text
    assert api.get(f"{URL}/{token['id']}").json()["token"] == ""


def test_no_token_of_omnis_is_in_the_list(api: httpx.Client, omni: OmniClient) -> None:
    secrets = [item["metadata"]["id"] for item in omni.resources.list(TYPE).items]
    text = api.get(URL, params={"page_size": 1000}).text
    assert secrets
    assert [secret[:2] for secret in secrets if secret in text] == []


def test_a_token_is_renamed_and_labelled(api: httpx.Client, omni: OmniClient, token: dict[str, Any]) -> None:
    answer = api.patch(f"{URL}/{token['id']}", json={"name": "other", "labels": {"rack": "7"}})
    assert answer.status_code == 200, answer.text
    held = omni.resources.get(TYPE, token["token"])
    assert (held["spec"]["name"], held["metadata"]["labels"]) == ("other", {"rack": "7"})


def test_a_token_is_revoked_and_good_again(
    api: httpx.Client, omni: OmniClient, token: dict[str, Any], wait_until: Wait
) -> None:
    url = f"{URL}/{token['id']}"
    assert api.post(f"{url}/actions/revoke").json()["revoked"] is True
    wait_until(lambda: api.get(url).json()["state"] == "REVOKED", 30, "the revocation")
    assert api.post(f"{url}/actions/unrevoke").json()["revoked"] is False
    assert not omni.resources.get(TYPE, token["token"])["spec"].get("revoked")


def test_the_default_token_changes_and_cannot_be_removed(
    api: httpx.Client, omni: OmniClient, token: dict[str, Any], wait_until: Wait
) -> None:
    before = next(item["id"] for item in api.get(URL).json() if item["is_default"])
    url = f"{URL}/{token['id']}"
    try:
        assert api.post(f"{url}/actions/make-default").json()["is_default"] is True
        default = omni.resources.get("DefaultJoinTokens.omni.sidero.dev", "default")
        assert default["spec"]["token_id"] == token["token"]
        wait_until(lambda: api.get(url).json()["is_default"], 30, "the status")
        problem(api.delete(url), 409, "conflict")
    finally:
        assert api.post(f"{URL}/{before}/actions/make-default").status_code == 200
        wait_until(lambda: not api.get(url).json()["is_default"], 30, "the status")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "é" * 9}, "name"),
        ({"name": "e2e", "expiration_time": "tomorrow"}, "expiration_time"),
        ({"name": "e2e", "labels": {"a": "b"}}, "labels"),
        ({"name": "e2e", "revoked": True}, "revoked"),
    ],
)
def test_bad_tokens_are_refused_by_field(api: httpx.Client, body: dict[str, Any], field: str) -> None:
    assert field in problem(api.post(URL, json=body), 422, "validation")["errors"]


def test_a_secret_is_no_handle(api: httpx.Client, token: dict[str, Any], unique: Unique) -> None:
    problem(api.get(f"{URL}/{token['token']}"), 404, "not-found")
    problem(api.delete(f"{URL}/{unique('none')}"), 404, "not-found")
