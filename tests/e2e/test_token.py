"""Tokens of the gateway over REST: shown once, used at once, refused soon after they are revoked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Served

URL = "auth/tokens"


@pytest.fixture
def make(api: httpx.Client) -> Iterator[Callable[..., dict[str, Any]]]:
    """Make tokens that are revoked at the end."""
    made = []

    def post(**body: Any) -> dict[str, Any]:
        answer = api.post(URL, json={"name": "e2e", **body})
        assert answer.status_code == 201, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        made.append(answer.json()["id"])
        return dict(answer.json())

    yield post
    for id in made:
        api.delete(f"{URL}/{id}")


def with_token(served: Served, token: str) -> httpx.Client:
    return httpx.Client(base_url=f"{served.url}/api/v1/", headers={"Authorization": f"Bearer {token}"})


def test_its_text_is_shown_once_and_opens_what_its_role_does(
    api: httpx.Client, served: Served, make: Callable[..., dict[str, Any]]
) -> None:
    token = make(role="operator", ttl="1h")
    assert token["token"].startswith("ogw_")
    assert api.get(f"{URL}/{token['id']}").json()["token"] == ""
    assert token["token"] not in api.get(URL).text
    with with_token(served, token["token"]) as mine:
        assert mine.get("auth/whoami").json()["token"]["id"] == f"token:{token['id']}"
        assert mine.get(URL).status_code == 403


def test_its_last_use_is_told(
    api: httpx.Client, served: Served, make: Callable[..., dict[str, Any]], wait_until: Callable[..., Any]
) -> None:
    token = make()
    assert token["last_used_at"] is None
    with with_token(served, token["token"]) as mine:
        mine.get("auth/whoami")
    wait_until(lambda: api.get(f"{URL}/{token['id']}").json()["last_used_at"], what="the last use")


def test_a_revoked_one_is_refused_soon(
    api: httpx.Client, served: Served, make: Callable[..., dict[str, Any]], wait_until: Callable[..., Any]
) -> None:
    token = make()
    with with_token(served, token["token"]) as mine:
        assert mine.get("auth/whoami").status_code == 200
        assert api.delete(f"{URL}/{token['id']}").status_code == 204
        wait_until(lambda: mine.get("auth/whoami").status_code == 401, what="the refusal")
    assert api.get(f"{URL}/{token['id']}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x", "role": "root"}, "role"),
        ({"name": "x", "ttl": "5s"}, "ttl"),
        ({"name": "x", "ttl": "90000h"}, "ttl"),
        ({"name": "x", "clusters": "a"}, "clusters"),
        ({"name": "x", "clusters": [""]}, "clusters.0"),
        ({"name": "x", "role": "admin", "clusters": ["a"]}, "role"),
        ({"name": "x", "id": "mine"}, "id"),
        ({"name": "x", "labels": {"a": "b"}}, "labels"),
    ],
)
def test_what_cannot_be_is_refused_by_field(api: httpx.Client, body: dict[str, Any], field: str) -> None:
    answer = api.post(URL, json=body)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_nobody_but_an_admin_sees_or_makes_tokens(reader: httpx.Client, operator: httpx.Client) -> None:
    for caller in (reader, operator):
        assert caller.get(URL).status_code == 403
        assert caller.post(URL, json={"name": "mine", "role": "admin"}).status_code == 403


def test_a_repeated_post_under_one_key_makes_one_token_and_shows_it_again(
    api: httpx.Client, unique: Callable[[str], str]
) -> None:
    head = {"Idempotency-Key": unique("key")}
    first, second = (api.post(URL, json={"name": "once"}, headers=head) for _ in range(2))
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.json() == first.json()
    api.delete(f"{URL}/{first.json()['id']}")
