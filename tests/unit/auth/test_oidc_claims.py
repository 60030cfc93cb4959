"""What the claims of a verified token say of its caller."""

from __future__ import annotations

from typing import Any

import pytest

from omni_gateway.auth import EVERYTHING, Role, Scope
from omni_gateway.auth.oidc import claims
from omni_gateway.auth.oidc.providers import Provider
from omni_gateway.auth.scope import LONGEST_PATTERN, MOST_PATTERNS


def provider(**changed: Any) -> Provider:
    return Provider(
        **{
            "id": "p",
            "issuer": "https://login.example.com",
            "audience": "c",
            "role_claim": "role",
            "role_mapping": {},
            **changed,
        }
    )


@pytest.mark.parametrize(
    ("said", "path", "value"),
    [
        ({"a": 1}, "a", 1),
        ({"a": 1}, "b", None),
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a": {"b": {"c.d": 1}}}, "a.b.c.d", 1),
        ({"a.b": {"c": 1}}, "a.b.c", 1),
        ({"a.b": {"c": 1}, "a": {"b.c": 2}}, "a.b.c", 1),
        ({"a.b": {"x": 1}, "a": {"b.c": 2}}, "a.b.c", None),
        ({"a": None}, "a", None),
        ({"a": 1}, "a.b", None),
        ({"a": ["b"]}, "a.b", None),
        ({"": 1}, "", 1),
    ],
)
def test_a_claim_is_found_by_the_longest_name_at_each_level(said: dict[str, Any], path: str, value: object) -> None:
    assert claims.value_at(said, path) == value


@pytest.mark.parametrize(
    ("value", "texts"), [("a", ["a"]), (["a", 7, "b", None], ["a", "b"]), (None, []), (7, []), ({"a": 1}, [])]
)
def test_the_texts_of_a_claim_are_its_strings(value: object, texts: list[str]) -> None:
    assert claims.texts(value) == texts


@pytest.mark.parametrize(
    ("mapping", "said", "role"),
    [
        ({}, ["reader", "operator"], Role.OPERATOR),
        ({}, ["admin", "reader"], Role.ADMIN),
        ({}, ["king"], None),
        ({}, None, None),
        ({"devs": Role.READER, "ops": Role.ADMIN}, ["x", "ops", "devs"], Role.ADMIN),
        ({"devs": Role.READER}, "admin", None),
    ],
)
def test_the_role_is_the_highest_that_the_claim_gives(
    mapping: dict[str, Role], said: object, role: Role | None
) -> None:
    assert claims.role_of(provider(role_mapping=mapping), {"role": said}) is role


@pytest.mark.parametrize(
    ("rules", "said", "scope"),
    [
        ({}, ["a"], EVERYTHING),
        ({"clusters": ("a",)}, ["b"], Scope(("a",))),
        ({"clusters": ()}, ["b"], Scope(())),
        ({"clusters": ("a",), "clusters_claim": "clusters"}, ["b"], Scope(("b",))),
        ({"clusters_claim": "clusters"}, None, Scope(())),
        ({"clusters_claim": "clusters"}, ["", "a"], Scope(("a",))),
        ({"clusters_claim": "clusters"}, ["x" * LONGEST_PATTERN], Scope(("x" * LONGEST_PATTERN,))),
        ({"clusters_claim": "clusters"}, ["x" * (LONGEST_PATTERN + 1)], Scope(())),
        (
            {"clusters_claim": "clusters"},
            ["", *(f"c{number}" for number in range(MOST_PATTERNS + 1))],
            Scope(tuple(f"c{number}" for number in range(MOST_PATTERNS))),
        ),
    ],
)
def test_the_clusters_are_the_providers_or_those_of_the_claim(
    rules: dict[str, Any], said: object, scope: Scope
) -> None:
    assert claims.scope_of(provider(**rules), {"clusters": said}) == scope


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"preferred_username": "a", "email": "b", "name": "c", "sub": "d"}, "a"),
        ({"email": "b", "name": "c", "sub": "d"}, "b"),
        ({"preferred_username": "\n", "email": None, "name": "c", "sub": "d"}, "c"),
        ({"sub": "d"}, "d"),
        ({"preferred_username": 7}, "7"),
        ({"name": "al\nice\x1b[31m"}, "alice[31m"),
        ({"name": "x" * (claims.LONGEST_NAME + 1)}, "x" * claims.LONGEST_NAME),
        ({}, ""),
    ],
)
def test_a_caller_is_called_by_the_first_name_that_can_be_shown(said: dict[str, Any], name: str) -> None:
    assert claims.name_of(said) == name
