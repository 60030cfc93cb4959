"""Rules of access policies, SAML label rules, join tokens and the licence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from omni_gateway.omni import selectors, types
from omni_gateway.rest.predictions.rule import Write, has_control_characters, members_of

_ROLES = ("None", "Reader", "Operator", "Admin")
_ONLY_POLICY = "access-policy"
_GROUP = "group/"
_LONGEST_TOKEN_NAME = 16
_EULA = "eula"
_PARTS = ("user", "cluster")
#: A glob pattern whose brackets are closed.
_PATTERN = re.compile(r"(?:[^\[\\]|\\.|\[\^?(?:[^\]\\-]|\\.)(?:[^\]\\]|\\.)*\])*", re.DOTALL)


def policy(write: Write) -> Iterator[str]:
    """Yield the errors of an access policy; its own tests are run too."""
    spec = write.resource.spec
    rules = spec.get("rules") or []
    if write.resource.id != _ONLY_POLICY:
        yield f"The only access policy is {_ONLY_POLICY!r}."
    unknown = sorted({rule["role"] for rule in rules if rule.get("role") and rule["role"] not in _ROLES})
    yield from (f"{role!r} is no role that a rule can give." for role in unknown)
    for part in _PARTS:
        for name, group in members_of(spec.get(f"{part}_groups")).items():
            for member in group.get(f"{part}s") or []:
                yield from (f"The {part} group {name!r}: {problem}" for problem in _wrong_member(part, member))
    for test in spec.get("tests") or []:
        missing = [part for part in _PARTS if not members_of(test.get(part)).get("name")]
        yield from (f"The test {test.get('name', '')!r} names no {part}." for part in missing)
        if not test.get("name"):
            yield "A test has no name."
        if not unknown:
            yield from _failures(spec, test)


def _wrong_member(part: str, member: Mapping[str, Any]) -> Iterator[str]:
    given = [field for field in ("name", "match", "label_selectors") if member.get(field)]
    if len(given) != 1:
        yield f"a {part} has one of a name, a pattern and label selectors."
    if not _PATTERN.fullmatch(member.get("match") or ""):
        yield f"the pattern {member['match']!r} is not valid."


def _failures(spec: Mapping[str, Any], test: Mapping[str, Any]) -> Iterator[str]:
    user, cluster = members_of(test.get("user")), members_of(test.get("cluster")).get("name", "")
    expected = members_of(test.get("expected"))
    applied = [rule for rule in spec.get("rules") or [] if _applies(spec, rule, user, cluster)]
    role = max((rule.get("role") or "None" for rule in applied), key=_ROLES.index, default="None")
    groups = sorted(group for rule in applied for group in _groups(rule))
    if (expected.get("role") or role) != role or sorted(_groups(expected)) != groups:
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
    texts = member.get("label_selectors") or []
    try:
        return bool(texts) and selectors.parse(",".join(texts)).matches(labels)
    except selectors.SelectorError:
        return False


def saml_rule(write: Write) -> Iterator[str]:
    """Yield the errors of a SAML label rule."""
    if write.text("assign_role") not in _ROLES:
        yield f"`assign_role` must be one of: {', '.join(_ROLES)}."
    if write.text("assign_role_on_registration"):
        yield "`assign_role_on_registration` is no longer used; `assign_role` is."
    yield from wrong_selectors(write.resource.spec.get("match_labels") or [])


def wrong_selectors(texts: list[str]) -> Iterator[str]:
    """Yield the errors of label selectors. An empty one selects everything; Omni reads each up to a NUL."""
    for text in texts:
        read = text.partition("\0")[0]
        try:
            selectors.parse(read) if read.strip() else None
        except selectors.SelectorError as error:
            yield f"{text[:200]!r} is no label selector: {error}."


def join_token(write: Write) -> Iterator[str]:
    """Yield the errors of the new name of a join token."""
    name = write.text("name")
    fits = 1 <= len(name.encode()) <= _LONGEST_TOKEN_NAME and not has_control_characters(name)
    if write.existing and write.changes("name") and not fits:
        yield f"A join token's name has 1 to {_LONGEST_TOKEN_NAME} bytes and no control characters."


def default_join_token(write: Write) -> Iterator[str]:
    """Yield the errors of the choice of the default join token."""
    if write.existing and write.find(types.JOIN_TOKENS, write.text("token_id")) is None:
        yield "The default must be a join token that exists."


def eula(write: Write) -> Iterator[str]:
    """Yield the errors of an acceptance of the licence; there is one object, and it is created once."""
    if write.existing is None and write.resource.id != _EULA:
        yield f"The one acceptance has the id {_EULA!r}."
    if write.existing is None and write.find(types.EULA_ACCEPTANCES, _EULA) is not None:
        yield "The agreement has been accepted already."
    for member in ("accepted_by_name", "accepted_by_email"):
        if not write.text(member):
            yield f"`{member}` is missing."
