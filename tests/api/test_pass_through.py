"""Callers who send their own Omni key: Omni decides, and nothing of one caller's answers reaches another."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator

from .conftest import Caller


@pytest.fixture
def caller(app: Flask, simulator: RunningSimulator) -> Callable[[str], Caller]:
    return lambda role: Caller(app.test_client(), simulator.make_key(role))


def fresh(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(3)}"


def test_calls_are_made_as_the_caller(caller: Callable[[str], Caller]) -> None:
    told = caller("Operator").get("auth/whoami").json
    assert told["identity"].startswith("made-operator-")
    assert (told["role"], told["token"]["role"], told["token"]["method"]) == ("Operator", "operator", "omni-key")


def test_omni_refuses_what_the_callers_role_may_not(caller: Callable[[str], Caller]) -> None:
    answer = caller("Reader").post("machineclasses", json={"id": fresh("c"), "match_labels": ["a = b"]})
    assert (answer.status_code, answer.json["code"]) == (403, "omni-forbidden")


def test_omni_lets_through_what_the_callers_role_may(caller: Callable[[str], Caller], omni: OmniClient) -> None:
    name = fresh("c")
    operator = caller("Operator")
    assert operator.post("machineclasses", json={"id": name, "match_labels": ["a = b"]}).status_code == 201
    assert omni.resources.get("MachineClasses.omni.sidero.dev", name)["metadata"]["id"] == name
    assert operator.delete(f"machineclasses/{name}").status_code == 204


def test_an_account_without_a_role_reads_what_omni_shows_to_everybody(caller: Callable[[str], Caller]) -> None:
    nobody = caller("None")
    assert nobody.get("talos-versions").status_code == 200
    assert nobody.get("clusters").json["code"] == "omni-forbidden"


@pytest.mark.parametrize("role", ["None", "Reader", "Operator"])
def test_what_is_the_gateways_own_takes_an_omni_admin(caller: Callable[[str], Caller], role: str) -> None:
    answer = caller(role).get("auth/tokens")
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_an_omni_admin_administers_the_gateway(caller: Callable[[str], Caller]) -> None:
    assert caller("Admin").get("auth/tokens").status_code == 200


def test_a_key_that_omni_does_not_know_is_a_401(app: Flask, simulator: RunningSimulator) -> None:
    from omni_gateway.simulator.identity.keys import generate

    answer = Caller(app.test_client(), generate("stranger", "stranger@serviceaccount.omni.sidero.dev").encoded).get(
        "clusters"
    )
    assert answer.status_code == 401
    assert "Omni does not accept this key" in answer.json["detail"]


def test_a_key_that_is_revoked_meanwhile_is_a_401_at_the_next_call(app: Flask, api: Caller) -> None:
    name = fresh("gone")
    key = api.post("auth/service-accounts", json={"id": name, "role": "Reader"}).json["key"]
    mine = Caller(app.test_client(), key)
    assert mine.get("clusters").status_code == 200

    api.delete(f"auth/service-accounts/{name}")

    answer = mine.get("clusters")
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "damage",
    [
        lambda key: key[: len(key) // 2],
        lambda key: key[:-8] + "AAAAAAAA",
        lambda key: base64.b64encode(json.dumps({"name": "x" * 300}).encode()).decode(),
        lambda key: base64.b64encode(json.dumps({"name": "x", "pgp_key": "no key" * 100}).encode()).decode(),
    ],
)
def test_what_only_looks_like_a_key_is_a_401_that_repeats_nothing_of_it(
    app: Flask, simulator: RunningSimulator, damage: Callable[[str], str]
) -> None:
    credential = damage(simulator.make_key("Admin"))
    answer = Caller(app.test_client(), credential).get("clusters")
    assert answer.status_code == 401
    assert not any(credential[start : start + 24] in answer.text for start in range(0, len(credential) - 24, 24))


def test_two_callers_side_by_side_never_see_each_others_view(app: Flask, simulator: RunningSimulator) -> None:
    """Two hundred requests, from four threads, by accounts that Omni answers differently: by name, and by role."""
    keys = {role: simulator.make_key(role) for role in ("None", "Reader", "Operator", "Admin")}
    expected = {"None": 403, "Reader": 200, "Operator": 200, "Admin": 200}

    def ask(number: int) -> tuple[str, str, int]:
        role = list(keys)[number % len(keys)]
        mine = Caller(app.test_client(), keys[role])
        return role, mine.get("auth/whoami").json["identity"], mine.get("machines?page_size=1").status_code

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(ask, range(200)))

    assert {(role, status) for role, _, status in seen} == set(expected.items())
    assert all(identity.startswith(f"made-{role.lower()}-") for role, identity, _ in seen)
    assert len({identity for _, identity, _ in seen}) == len(keys)


def test_an_idempotency_key_is_the_callers_own(caller: Callable[[str], Caller]) -> None:
    head = {"Idempotency-Key": fresh("k")}
    body = {"id": fresh("sa"), "role": "Reader"}
    first = caller("Admin").post("configpatches/actions/validate", json={"data": "machine: {}"}, headers=head)
    second = caller("Admin").post("configpatches/actions/validate", json={"data": "machine: {}"}, headers=head)
    assert first.headers.get("Idempotency-Replayed") is None
    assert second.headers.get("Idempotency-Replayed") is None
    assert body["id"] not in second.text


def test_what_one_caller_made_is_not_shown_to_another(caller: Callable[[str], Caller]) -> None:
    body = {"talos_version": "1.13.7", "extra_kernel_args": [fresh("only-mine")]}
    mine, other = caller("Operator"), caller("Operator")
    made = mine.post("schematics", json=body)
    assert made.status_code == 201
    assert mine.get(f"schematics/{made.json['id']}").status_code == 200
    assert other.get(f"schematics/{made.json['id']}").status_code == 404


def test_a_gateway_without_a_key_of_its_own_serves_callers_who_bring_theirs(
    simulator: RunningSimulator, tmp_path: Path
) -> None:
    keyless = create_app(Settings(omni=OmniConfig(endpoint=simulator.endpoint), state_dir=tmp_path, auth=("omni-key",)))
    client: Any = keyless.test_client()
    assert client.get("/readyz").status_code == 200
    assert Caller(client, simulator.make_key("Reader")).get("clusters").status_code == 200
    assert Caller(client, "ogw_" + "0" * 43).get("clusters").status_code == 401
