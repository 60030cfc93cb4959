"""The access policy's own tests, run when it is written."""

from __future__ import annotations

from typing import Any

import pytest

from omni_gateway.simulator.identity.caller import ANONYMOUS
from omni_gateway.simulator.rules import RuleContext, accesspolicies
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

OPS = [{"name": "ann@example.org"}, {"match": "*@ops.example.org"}, {"label_selectors": ["team=ops"]}]
POLICY: dict[str, Any] = {
    "user_groups": {"ops": {"users": OPS}},
    "cluster_groups": {"prod": {"clusters": [{"match": "prod-*"}]}},
    "rules": [
        {"users": ["group/ops"], "clusters": ["group/prod"], "role": "Operator"},
        {
            "users": ["bob@example.org"],
            "clusters": ["lab"],
            "role": "Reader",
            "kubernetes": {"impersonate": {"groups": ["viewers"]}},
        },
    ],
}


def problems(user: dict[str, Any], cluster: str, **expected: Any) -> list[str]:
    test = {"name": "t", "user": user, "cluster": {"name": cluster}, "expected": expected}
    policy = Resource("default", "AccessPolicies.omni.sidero.dev", "access-policy", {**POLICY, "tests": [test]})
    return list(accesspolicies.create(RuleContext(Store(), ANONYMOUS), policy))


@pytest.mark.parametrize(
    ("user", "cluster", "role"),
    [
        ({"name": "ann@example.org"}, "prod-1", "Operator"),
        ({"name": "eve@ops.example.org"}, "prod-1", "Operator"),
        ({"name": "joe@example.org", "labels": {"team": "ops"}}, "prod-1", "Operator"),
        ({"name": "ann@example.org"}, "lab", "None"),
        ({"name": "zoe@example.org"}, "prod-1", "None"),
    ],
)
def test_the_rules_give_the_role_that_a_test_expects(user: dict[str, Any], cluster: str, role: str) -> None:
    assert problems(user, cluster, role=role) == []
    assert problems(user, cluster, role="Admin") != []


def test_groups_of_kubernetes_are_expected_too() -> None:
    groups = {"impersonate": {"groups": ["viewers"]}}

    assert problems({"name": "bob@example.org"}, "lab", role="Reader", kubernetes=groups) == []
    assert problems({"name": "bob@example.org"}, "lab", role="Reader") != []
