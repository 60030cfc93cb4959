"""SAML label rules: a role by the labels that SAML gave."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Made, Unique, Wait, changes, problem

URL = "auth/saml-label-rules"
TYPE = "SAMLLabelRules.omni.sidero.dev"
RULE: dict[str, Any] = {"match_labels": ["saml.omni.sidero.dev/groups/e2e"], "assign_role": "Reader"}


@pytest.fixture
def rule(api: httpx.Client, made: Made, unique: Unique) -> dict[str, Any]:
    answer = api.post(URL, json={"id": unique("rule"), "labels": {"made-by": "e2e"}, **RULE})
    assert answer.status_code == 201, answer.text
    made(f"{URL}/{answer.json()['id']}")
    return dict(answer.json())


def test_a_rule_is_made_in_omni(api: httpx.Client, rule: dict[str, Any], omni: OmniClient) -> None:
    assert omni.resources.get(TYPE, rule["id"])["spec"] == RULE
    assert rule["update_on_each_login"] is False
    assert api.get(f"{URL}/{rule['id']}").json() == rule


def test_rules_are_listed_by_label_and_sorted(api: httpx.Client, rule: dict[str, Any]) -> None:
    listed = api.get(URL, params={"label_selector": "made-by=e2e", "sort": "assign_role"})
    assert rule["id"] in [item["id"] for item in listed.json()]


def test_a_replace_and_a_patch_are_in_omni(api: httpx.Client, rule: dict[str, Any], omni: OmniClient) -> None:
    url = f"{URL}/{rule['id']}"
    assert api.put(url, json={**RULE, "id": rule["id"], "assign_role": "Operator"}).status_code == 200
    assert omni.resources.get(TYPE, rule["id"])["spec"]["assign_role"] == "Operator"
    assert api.patch(url, json={"update_on_each_login": True}).json()["update_on_each_login"] is True
    assert omni.resources.get(TYPE, rule["id"])["spec"]["update_on_each_login"] is True


def test_a_rule_can_be_removed(api: httpx.Client, rule: dict[str, Any]) -> None:
    url = f"{URL}/{rule['id']}"
    assert api.delete(f"{url}?dry_run=true").status_code == 200
    assert api.delete(url).status_code in (202, 204)


@pytest.mark.parametrize("missing", ["match_labels", "assign_role"])
def test_a_rule_needs_labels_and_a_role(api: httpx.Client, unique: Unique, missing: str) -> None:
    body = {"id": unique("rule"), **{key: value for key, value in RULE.items() if key != missing}}
    assert set(problem(api.post(URL, json=body), 422, "validation")["errors"]) == {missing}


@pytest.mark.parametrize(
    "wrong",
    [{"match_labels": ["a in ("]}, {"assign_role": "King"}, {"assign_role_on_registration": "Reader"}],
    ids=["selector", "role", "old name"],
)
def test_omni_refuses_what_is_no_rule(api: httpx.Client, unique: Unique, wrong: dict[str, Any]) -> None:
    problem(api.post(URL, json={"id": unique("rule"), **RULE, **wrong}), 422, "refused-by-omni")


def test_they_are_for_admins_only(operator: httpx.Client, anonymous: httpx.Client, rule: dict[str, Any]) -> None:
    for method, url in (("get", URL), ("post", URL), *((m, f"{URL}/x") for m in ("get", "put", "patch", "delete"))):
        assert operator.request(method, url).status_code == 403
        assert anonymous.request(method, url).status_code == 401


def test_a_rule_can_be_watched(api: httpx.Client, rule: dict[str, Any], wait_until: Wait) -> None:
    with changes(api, f"{URL}/{rule['id']}") as lines:
        assert rule["id"] in next(lines)
