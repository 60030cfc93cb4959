"""Rules of access policies, SAML label rules, join tokens and the licence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from omni_gateway.omni import selectors, types
from omni_gateway.sdk.predictions.rule import Write, members_of

_ROLES = ("None", "Reader", "Operator", "Admin")
_ONLY_POLICY = "access-policy"
_GROUP = "group/"
_LONGEST_TOKEN_NAME = 16
_EULA = "eula"
_KEY = r"[^\s,!=<>()]++"
#: One term of a label selector and the comma after it.
_TERM = re.compile(
    rf"\s*(?:{_KEY}\s+(?:in|notin)\s*\([^()]*\)|{_KEY}\s*(?:==|=|!=|<=|<|>=|>)[^,()=<>!]*|!?\s*{_KEY})\s*(?:,|\Z)"
)


def policy(write: Write) -> Iterator[str]:
    """Judge an access policy, the tests that it carries included."""
    spec = write.resource.spec
    rules = spec.get("rules") or []
    if write.resource.id != _ONLY_POLICY:
        yield f"The only access policy is {_ONLY_POLICY!r}."
    unknown = sorted({rule["role"] for rule in rules if rule.get("role") and rule["role"] not in _ROLES})
    yield from (f"{role!r} is no role that a rule can give." for role in unknown)
    if not unknown:
        yield from (text for test in spec.get("tests") or [] for text in _failures(spec, test))


def _failures(spec: Mapping[str, Any], test: Mapping[str, Any]) -> Iterator[str]:
    user, cluster = members_of(test.get("user")), members_of(test.get("cluster")).get("name", "")
    expected = members_of(test.get("expected"))
    applied = [rule for rule in spec.get("rules") or [] if _applies(spec, rule, user, cluster)]
    role = max((rule.get("role") or "None" for rule in applied), key=_ROLES.index, default="None")
    groups = {group for rule in applied for group in _groups(rule)}
    if (expected.get("role") or "None") != role or set(_groups(expected)) != groups:
        yield f"The test {test.get('name', '')!r} expects something else than the rules give."


def _groups(rule: Mapping[str, Any]) -> list[str]:
    impersonated = members_of(members_of(rule.get("kubernetes")).get("impersonate"))
    return list(impersonated.get("groups") or [])


def _applies(spec: Mapping[str, Any], rule: Mapping[str, Any], user: Mapping[str, Any], cluster: str) -> bool:
    return any(_names_user(spec, name, user) for name in rule.get("users") or []) and any(
        _names_cluster(spec, name, cluster) for name in rule.get("clusters") or []
    )


def _names_user(spec: Mapping[str, Any], name: str, user: Mapping[str, Any]) -> bool:
    if not name.startswith(_GROUP):
        return bool(name == user.get("name"))
    group = members_of(members_of(spec.get("user_groups")).get(name.removeprefix(_GROUP)))
    return any(
        _matches(member, user.get("name", "")) or _selects(member, members_of(user.get("labels")))
        for member in group.get("users") or []
    )


def _names_cluster(spec: Mapping[str, Any], name: str, cluster: str) -> bool:
    if not name.startswith(_GROUP):
        return name == cluster
    group = members_of(members_of(spec.get("cluster_groups")).get(name.removeprefix(_GROUP)))
    return any(_matches(member, cluster) for member in group.get("clusters") or [])


def _matches(member: Mapping[str, Any], name: str) -> bool:
    pattern = member.get("match") or ""
    return member.get("name") == name or bool(pattern and fnmatchcase(name, pattern))


def _selects(member: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    try:
        return any(selectors.parse(text).matches(labels) for text in member.get("label_selectors") or [])
    except selectors.SelectorError:
        return False


def saml_rule(write: Write) -> Iterator[str]:
    """Judge a SAML label rule."""
    if write.text("assign_role") not in _ROLES:
        yield f"`assign_role` must be one of: {', '.join(_ROLES)}."
    if write.text("assign_role_on_registration"):
        yield "`assign_role_on_registration` is no longer used; `assign_role` is."
    yield from wrong_selectors(write.resource.spec.get("match_labels") or [])


def wrong_selectors(texts: list[str]) -> Iterator[str]:
    """Yield what is wrong with label selectors, by Omni's own wide grammar: keys and values are hardly looked at."""
    for text in texts:
        position = 0
        while position < len(text.rstrip()):
            match = _TERM.match(text, position)
            if match is None:
                yield f"{text[:200]!r} is no label selector."
                break
            position = match.end()


def join_token(write: Write) -> Iterator[str]:
    """Judge the new name of a join token."""
    if write.existing and write.changes("name") and not 1 <= len(write.text("name").encode()) <= _LONGEST_TOKEN_NAME:
        yield f"A join token's name has 1 to {_LONGEST_TOKEN_NAME} bytes."


def default_join_token(write: Write) -> Iterator[str]:
    """Judge the choice of the default join token."""
    if write.existing and write.find(types.JOIN_TOKENS, write.text("token_id")) is None:
        yield "The default must be a join token that exists."


def eula(write: Write) -> Iterator[str]:
    """Judge an acceptance of the licence: there is one, and it is given once."""
    if write.existing is None and write.resource.id != _EULA:
        yield f"The one acceptance has the id {_EULA!r}."
    if write.existing is None and write.find(types.EULA_ACCEPTANCES, _EULA) is not None:
        yield "The agreement has been accepted already."
    for member in ("accepted_by_name", "accepted_by_email"):
        if not write.text(member):
            yield f"`{member}` is missing."
