"""The one access policy: who gets which role on which clusters."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Made, problem

URL = "auth/access-policy"
TYPE = "AccessPolicies.omni.sidero.dev"
POLICY: dict[str, Any] = {
    "user_groups": {"support": {"users": [{"match": "*@support.example.com"}]}},
    "cluster_groups": {"staging": {"clusters": [{"match": "staging-*"}]}},
    "rules": [{"users": ["group/support"], "clusters": ["group/staging"], "role": "Operator"}],
}


@pytest.fixture
def policy(api: httpx.Client, made: Made) -> dict[str, Any]:
    """The policy, made by this test; an Omni that has one already keeps its own."""
    if api.get(URL).status_code == 200:
        pytest.skip("this Omni has an access policy, which is not ours to replace")
    answer = api.post(URL, json=POLICY)
    assert answer.status_code == 201, answer.text
    made(URL)
    return dict(answer.json())


def test_the_policy_is_made_without_an_id_and_omni_holds_it(
    api: httpx.Client, policy: dict[str, Any], omni: OmniClient
) -> None:
    assert policy["id"] == "access-policy"
    assert policy["_links"]["self"] == "/api/v1/auth/access-policy"
    held = omni.resources.get(TYPE, "access-policy")["spec"]
    assert held["rules"] == POLICY["rules"]
    assert api.get(URL).json()["user_groups"]["support"]["users"][0]["match"] == "*@support.example.com"


def test_a_second_policy_is_a_409(api: httpx.Client, policy: dict[str, Any]) -> None:
    problem(api.post(URL, json=POLICY), 409, "exists")


def test_a_replace_and_a_patch_are_in_omni(api: httpx.Client, policy: dict[str, Any], omni: OmniClient) -> None:
    replaced = api.put(URL, json={**POLICY, "rules": [{**POLICY["rules"][0], "role": "Reader"}]})
    assert replaced.status_code == 200, replaced.text
    assert omni.resources.get(TYPE, "access-policy")["spec"]["rules"][0]["role"] == "Reader"
    patched = api.patch(URL, json={"cluster_groups": {"prod": {"clusters": [{"name": "prod"}]}}})
    assert set(patched.json()["cluster_groups"]) == {"prod", "staging"}
    assert set(omni.resources.get(TYPE, "access-policy")["spec"]["cluster_groups"]) == {"prod", "staging"}


def test_a_policy_can_be_removed_and_a_dry_run_removes_nothing(api: httpx.Client, policy: dict[str, Any]) -> None:
    assert api.delete(f"{URL}?dry_run=true").status_code == 200
    assert api.get(URL).status_code == 200
    assert api.delete(URL).status_code in (202, 204)


def test_a_rule_with_a_group_that_is_not_there_is_refused_by_its_place(api: httpx.Client) -> None:
    rule = {"users": ["ada@example.com", "group/nobody"], "clusters": ["group/nowhere"], "role": "Reader"}
    answer = api.post(f"{URL}?dry_run=true", json={"rules": [rule]})
    if answer.status_code == 409:
        answer = api.put(f"{URL}?dry_run=true", json={"rules": [rule]})
    errors = problem(answer, 422, "validation")["errors"]
    assert set(errors) == {"rules.0.users.1", "rules.0.clusters.0"}


def test_a_role_that_no_rule_can_give_is_refused_by_omni(api: httpx.Client) -> None:
    if api.get(URL).status_code == 200:
        pytest.skip("this Omni has an access policy, which is not ours to replace")
    answer = api.post(URL, json={"rules": [{"users": ["ada@example.com"], "clusters": ["c"], "role": "King"}]})
    problem(answer, 422, "refused-by-omni")


def test_another_id_is_refused(api: httpx.Client) -> None:
    errors = problem(api.post(URL, json={"id": "mine", **POLICY}), 422, "validation")["errors"]
    assert set(errors) == {"id"}


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_it_is_for_admins_only(operator: httpx.Client, anonymous: httpx.Client, method: str) -> None:
    assert operator.request(method, URL).status_code == 403
    assert anonymous.request(method, URL).status_code == 401
