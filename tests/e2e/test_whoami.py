"""Who calls Omni, and who calls the gateway."""

from __future__ import annotations

import httpx

from omni_gateway.omni import OmniClient

URL = "auth/whoami"


def test_it_tells_whom_omni_takes_the_gateway_for(reader: httpx.Client, omni: OmniClient) -> None:
    answer = reader.get(URL).json()
    user = omni.resources.list("CurrentUsers.omni.sidero.dev", "virtual").items[0]["spec"]
    assert (answer["identity"], answer["role"], answer["user_id"]) == (user["identity"], user["role"], user["user_id"])


def test_it_tells_what_that_identity_may_do(reader: httpx.Client, omni: OmniClient) -> None:
    permissions = reader.get(URL).json()["permissions"]
    held = omni.resources.list("Permissions.omni.sidero.dev", "virtual").items[0]["spec"]
    assert {name for name, allowed in permissions.items() if allowed} == {name for name in held if held[name]}
    assert permissions["can_read_clusters"] is True


def test_each_caller_is_told_whose_token_it_sent(reader: httpx.Client, operator: httpx.Client) -> None:
    told = [caller.get(URL).json()["token"] for caller in (reader, operator)]
    assert [(item["name"], item["role"]) for item in told] == [("test-reader", "reader"), ("test-operator", "operator")]
    assert [(item["method"], item["clusters"], item["expires_at"]) for item in told] == [("token", None, None)] * 2
    assert told[0]["id"] != told[1]["id"]


def test_nobody_is_told_without_a_credential(anonymous: httpx.Client) -> None:
    assert anonymous.get(URL).status_code == 401
