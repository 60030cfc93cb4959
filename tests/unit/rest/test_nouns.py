"""Articles and plurals of the nouns in the OpenAPI document."""

from __future__ import annotations

import pytest

from omni_gateway.rest.nouns import plural, with_article


@pytest.mark.parametrize(
    "noun",
    ["a cluster", "a user", "a SAML label rule", "an OIDC provider", "an etcd backup", "an image pull request"],
)
def test_the_article_follows_the_first_letter(noun: str) -> None:
    assert with_article(noun.partition(" ")[2]) == noun


@pytest.mark.parametrize(
    ("one", "several"),
    [
        ("machine set", "machine sets"),
        ("config patch", "config patches"),
        ("machine class", "machine classes"),
        ("audit entry", "audit entries"),
        ("key", "keys"),
    ],
)
def test_regular_plurals(one: str, several: str) -> None:
    assert plural(one) == several
