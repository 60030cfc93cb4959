"""Rules of AccessPolicies, of which there is one."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from .. import selectors
from ..resource import Resource
from .base import RuleContext, Rules
from .samllabelrules import ROLES

_ONLY_ID = "access-policy"
_GROUP = "group/"
Spec = dict[str, Any]


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check the id and the rules' roles, and run the tests that the policy brings along."""
    if new.id != _ONLY_ID:
        yield f"the one access policy has the id {_ONLY_ID!r}"
    wrong = [rule["role"] for rule in new.spec.get("rules") or [] if rule.get("role") and rule["role"] not in ROLES]
    yield from (f"{role!r} is no role that a rule gives" for role in wrong)
    if not wrong:
        for test in new.spec.get("tests") or []:
            yield from _failure(new.spec, test)


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules("AccessPolicies.omni.sidero.dev", create, update)


def _failure(policy: Spec, test: Spec) -> Iterator[str]:
    """Yield what a test expects and the rules do not give: the highest role and every group of those that apply."""
    user, cluster = test.get("user") or {}, (test.get("cluster") or {}).get("name", "")
    given = [rule for rule in policy.get("rules") or [] if _applies(policy, rule, user, cluster)]
    role = max((rule.get("role") or "None" for rule in given), key=ROLES.index, default="None")
    groups = {name for rule in given for name in _groups(rule)}
    expected = test.get("expected") or {}
    if (expected.get("role") or "None") != role:
        yield f"the test {test.get('name', '')!r} expects the role {expected.get('role')!r}, the rules give {role!r}"
    if set(_groups(expected)) != groups:
        yield f"the test {test.get('name', '')!r} expects other Kubernetes groups than {sorted(groups)}"


def _groups(of: Spec) -> list[str]:
    return list(((of.get("kubernetes") or {}).get("impersonate") or {}).get("groups") or [])


def _applies(policy: Spec, rule: Spec, user: Spec, cluster: str) -> bool:
    users = any(_is_user(policy, name, user) for name in rule.get("users") or [])
    return users and any(_is_cluster(policy, name, cluster) for name in rule.get("clusters") or [])


def _is_user(policy: Spec, name: str, user: Spec) -> bool:
    members = (policy.get("user_groups") or {}).get(name.removeprefix(_GROUP), {}).get("users") or []
    if not name.startswith(_GROUP):
        return name == user.get("name")
    return any(_matches(member, user.get("name", "")) or _selected(member, user) for member in members)


def _is_cluster(policy: Spec, name: str, cluster: str) -> bool:
    members = (policy.get("cluster_groups") or {}).get(name.removeprefix(_GROUP), {}).get("clusters") or []
    return any(_matches(member, cluster) for member in members) if name.startswith(_GROUP) else name == cluster


def _matches(member: Spec, name: str) -> bool:
    return member.get("name") == name or bool(member.get("match") and fnmatchcase(name, member["match"]))


def _selected(member: Spec, user: Spec) -> bool:
    wanted = member.get("label_selectors") or []
    try:
        return any(selectors.parse(text).matches(user.get("labels") or {}) for text in wanted)
    except selectors.SelectorError:
        return False
