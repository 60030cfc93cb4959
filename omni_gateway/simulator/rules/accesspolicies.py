"""Rules of AccessPolicies, of which there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.samllabelrules import ROLES
from omni_gateway.simulator.selectors import label_selector
from omni_gateway.simulator.state.resource import Resource

_ONLY_ID = "access-policy"
_GROUP = "group/"
_PARTS = ("user", "cluster")
Spec = dict[str, Any]


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check the id, the groups and the rules' roles, and run the tests that the policy brings along."""
    if new.id != _ONLY_ID:
        yield f"the one access policy has the id {_ONLY_ID!r}"
    wrong = [rule["role"] for rule in new.spec.get("rules") or [] if rule.get("role") and rule["role"] not in ROLES]
    yield from (f"{role!r} is no role that a rule gives" for role in wrong)
    for what in ("user", "cluster"):
        for name, group in (new.spec.get(f"{what}_groups") or {}).items():
            for member in group.get(f"{what}s") or []:
                yield from (f"the {what} group {name!r}: {problem}" for problem in _member(what, member))
    for test in new.spec.get("tests") or []:
        for part, text in (("name", test.get("name")), *((p, (test.get(p) or {}).get("name")) for p in _PARTS)):
            if not text:
                yield f"the test {test.get('name') or ''!r} has no {part}"
        if not wrong:
            yield from _failure(new.spec, test)


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules("AccessPolicies.omni.sidero.dev", create, update)


def _member(what: str, member: Spec) -> Iterator[str]:
    """Yield the problems of a member: it has one of a name, a pattern and, if a user, label selectors."""
    given = [field for field in ("name", "match", "label_selectors") if member.get(field)]
    if len(given) != 1:
        yield f"a {what} with {' and '.join(given)}" if given else f"an empty {what}"
    if _bad_pattern(member.get("match") or ""):
        yield f"the pattern {member['match']!r} is not valid"


def _bad_pattern(pattern: str) -> bool:
    """Return whether a pattern's brackets do not close, or it ends in a backslash."""
    return not re.fullmatch(r"(?:[^\[\\]|\\.|\[\^?(?:[^\]\\-]|\\.)(?:[^\]\\]|\\.)*\])*", pattern, re.DOTALL)


def _failure(policy: Spec, test: Spec) -> Iterator[str]:
    """Yield the failures of a test: the rules that apply give the highest of their roles and all of their groups."""
    user, cluster = test.get("user") or {}, (test.get("cluster") or {}).get("name", "")
    given = [rule for rule in policy.get("rules") or [] if _applies(policy, rule, user, cluster)]
    role = max((rule.get("role") or "None" for rule in given), key=ROLES.index, default="None")
    groups = sorted(name for rule in given for name in _groups(rule))
    expected = test.get("expected") or {}
    if expected.get("role") not in (None, "", role):
        yield f"the test {test.get('name', '')!r} expects the role {expected.get('role')!r}, the rules give {role!r}"
    if sorted(_groups(expected)) != groups:
        yield f"the test {test.get('name', '')!r} expects other Kubernetes groups than {groups}"


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
        return bool(wanted) and label_selector.parse(",".join(wanted)).matches(user.get("labels") or {})
    except label_selector.SelectorError:
        return False
