"""Users: made, given another role, removed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Made, Unique, problem

URL = "auth/users"


@pytest.fixture
def user(api: httpx.Client, made: Made, unique: Unique) -> dict[str, Any]:
    answer = api.post(URL, json={"id": f"{unique('User')}@example.com", "role": "Reader"})
    assert answer.status_code == 201, answer.text
    made(f"{URL}/{answer.json()['id']}")
    return dict(answer.json())


def roles(omni: OmniClient) -> dict[str, str]:
    return {user.email: user.role for user in omni.management.list_users()}


def test_a_user_is_in_omni_in_lower_case(omni: OmniClient, user: dict[str, Any]) -> None:
    assert user["id"] == user["id"].lower()
    assert user["user_id"]
    assert roles(omni)[user["id"]] == "Reader"


@pytest.mark.parametrize("method", ["put", "patch"])
def test_another_role_is_in_omni(api: httpx.Client, omni: OmniClient, user: dict[str, Any], method: str) -> None:
    answer = api.request(method, f"{URL}/{user['id']}", json={"id": user["id"], "role": "Operator"})
    assert (answer.status_code, answer.json()["role"]) == (200, "Operator")
    assert roles(omni)[user["id"]] == "Operator"


def test_a_precondition_that_is_old_changes_nothing(api: httpx.Client, omni: OmniClient, user: dict[str, Any]) -> None:
    url = f"{URL}/{user['id']}"
    tag = api.get(url).headers["ETag"]
    assert api.patch(url, json={"role": "Operator"}, headers={"If-Match": tag}).status_code == 200
    problem(api.patch(url, json={"role": "Admin"}, headers={"If-Match": tag}), 412, "stale-precondition")
    assert roles(omni)[user["id"]] == "Operator"


def test_a_removed_user_is_gone(api: httpx.Client, omni: OmniClient, user: dict[str, Any]) -> None:
    assert api.delete(f"{URL}/{user['id']}").status_code == 204
    assert user["id"] not in roles(omni)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id": "nobody", "role": "Reader"}, "id"),
        ({"id": "x@serviceaccount.omni.sidero.dev", "role": "Reader"}, "id"),
        ({"id": "a@example.com", "role": "Owner"}, "role"),
        ({"id": "a@example.com"}, "role"),
        ({"id": "a@example.com", "role": "Reader", "annotations": {"a": "b"}}, "annotations"),
    ],
)
def test_bad_users_are_refused_by_field(api: httpx.Client, body: dict[str, Any], field: str) -> None:
    assert field in problem(api.post(URL, json=body), 422, "validation")["errors"]


def test_an_address_is_taken_once(api: httpx.Client, user: dict[str, Any]) -> None:
    problem(api.post(URL, json={"id": user["id"].upper(), "role": "Reader"}), 409, "exists")
    problem(api.get(f"{URL}/e2e-nobody@example.com"), 404, "not-found")
