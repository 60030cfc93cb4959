"""Service accounts: made with a key that works, renewed, removed."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pysequoia
import pytest

from omni_gateway.omni import OmniClient, OmniConfig, types
from omni_gateway.omni import errors as omni_errors
from tests.e2e.cluster_steps import Made, Unique, problem

URL = "auth/service-accounts"


@pytest.fixture
def account(api: httpx.Client, made: Made, unique: Unique) -> dict[str, Any]:
    answer = api.post(URL, json={"id": unique("sa"), "role": "Reader", "ttl": "1h"})
    assert answer.status_code == 201, answer.text
    made(f"{URL}/{answer.json()['id']}")
    return dict(answer.json())


def as_account(config: OmniConfig, key: str) -> OmniClient:
    return OmniClient(
        OmniConfig(endpoint=config.endpoint, service_account_key=key, ca_file=config.ca_file, insecure=config.insecure)
    )


def armored_public_key(days: int, email: str = "e2e@serviceaccount.omni.sidero.dev") -> str:
    secret = pysequoia.Tsk.generate(
        user_id=f"e2e <{email}>", validity_seconds=days * 86400, profile=pysequoia.Profile.RFC4880
    )
    return str(secret.extract_certificate())


def test_the_key_of_a_new_account_calls_omni(account: dict[str, Any], omni_config: OmniConfig) -> None:
    with as_account(omni_config, account["key"]) as omni:
        user = omni.resources.list(types.CURRENT_USERS).items[0]["spec"]
    assert (user["identity"], user["role"]) == (account["identity"], "Reader")


def test_a_key_whose_answer_was_lost_is_fetched_by_sending_the_same_request_again(
    api: httpx.Client, made: Made, unique: Unique, omni_config: OmniConfig
) -> None:
    body, head = {"id": unique("sa"), "role": "Reader", "ttl": "1h"}, {"Idempotency-Key": unique("key")}
    api.post(URL, json=body, headers=head)
    made(f"{URL}/{body['id']}")
    again = api.post(URL, json=body, headers=head)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert len(api.get(f"{URL}/{body['id']}").json()["public_keys"]) == 1
    with as_account(omni_config, again.json()["key"]) as omni:
        assert omni.resources.list(types.CURRENT_USERS).items


def test_the_key_is_shown_once(api: httpx.Client, account: dict[str, Any]) -> None:
    secret = json.loads(base64.b64decode(account["key"]))["pgp_key"]
    listed = api.get(URL, params={"search": account["id"]})
    assert account["key"] not in listed.text
    assert secret not in listed.text
    assert api.get(f"{URL}/{account['id']}").json()["key"] == ""


def test_an_account_is_read_by_its_full_identity_too(api: httpx.Client, account: dict[str, Any]) -> None:
    assert api.get(f"{URL}/{account['identity']}").json()["id"] == account["id"]


def test_a_renewed_account_has_two_keys_that_work(
    api: httpx.Client, account: dict[str, Any], omni_config: OmniConfig
) -> None:
    renewed = api.post(f"{URL}/{account['id']}/actions/renew", json={"ttl": "2h"}).json()
    assert len(renewed["public_keys"]) == 2
    for key in (account["key"], renewed["key"]):
        with as_account(omni_config, key) as omni:
            assert omni.resources.list(types.CURRENT_USERS).items


def test_an_own_public_key_is_registered_and_no_key_is_shown(api: httpx.Client, made: Made, unique: Unique) -> None:
    body = {"id": unique("sa"), "role": "Reader", "public_key": armored_public_key(30)}
    answer = api.post(URL, json=body)
    made(f"{URL}/{body['id']}")
    assert answer.status_code == 201, answer.text
    assert answer.json()["key"] == ""
    assert len(answer.json()["public_keys"]) == 1


def test_a_dry_run_makes_no_account(api: httpx.Client, unique: Unique) -> None:
    name = unique("sa")
    answer = api.post(f"{URL}?dry_run=true", json={"id": name, "role": "Reader"})
    assert answer.status_code == 200
    assert answer.json()["key"] == ""
    assert api.get(f"{URL}/{name}").status_code == 404


def test_a_removed_account_calls_nobody(api: httpx.Client, account: dict[str, Any], omni_config: OmniConfig) -> None:
    assert api.delete(f"{URL}/{account['id']}").status_code == 204
    with as_account(omni_config, account["key"]) as omni, pytest.raises(omni_errors.OmniError):
        omni.resources.list("Clusters.omni.sidero.dev")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "Upper"}, "id"),
        ({"id": "infra-provider:metal"}, "role"),
        ({"role": "Owner"}, "role"),
        ({"role": "InfraProvider"}, "role"),
        ({"ttl": "9000h"}, "ttl"),
        ({"ttl": "1m"}, "ttl"),
        ({"public_key": "nonsense"}, "public_key"),
        ({"labels": {"a": "b"}}, "labels"),
    ],
)
def test_what_omni_would_not_explain_is_refused_by_field(
    api: httpx.Client, unique: Unique, change: dict[str, Any], field: str
) -> None:
    body = {"id": unique("sa"), "role": "Reader", **change}
    assert field in problem(api.post(URL, json=body), 422, "validation")["errors"]


@pytest.mark.parametrize(("days", "email"), [(400, "a@b.example"), (30, "none")])
def test_public_keys_that_omni_refuses(api: httpx.Client, unique: Unique, days: int, email: str) -> None:
    body = {"id": unique("sa"), "role": "Reader", "public_key": armored_public_key(days, email)}
    assert "public_key" in problem(api.post(URL, json=body), 422, "validation")["errors"]


def test_a_private_key_is_refused_and_not_repeated(api: httpx.Client, unique: Unique) -> None:
    secret = str(pysequoia.Tsk.generate(user_id="e2e <a@b.example>", profile=pysequoia.Profile.RFC4880))
    answer = api.post(URL, json={"id": unique("sa"), "role": "Reader", "public_key": secret})
    assert "private" in problem(answer, 422, "validation")["errors"]["public_key"][0]
    assert secret.splitlines()[2] not in answer.text


def test_names_are_taken_once_and_unknown_ones_are_404(api: httpx.Client, account: dict[str, Any]) -> None:
    problem(api.post(URL, json={"id": account["id"], "role": "Reader"}), 409, "exists")
    problem(api.get(f"{URL}/e2e-nobody"), 404, "not-found")
    problem(api.post(f"{URL}/e2e-nobody/actions/renew"), 404, "not-found")


def test_admins_only(operator: httpx.Client) -> None:
    for collection in (URL, "auth/users", "join-tokens"):
        problem(operator.get(collection), 403, "forbidden")
