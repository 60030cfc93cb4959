"""Role, clusters and name of a caller, from the claims of a verified token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from omni_gateway.auth.oidc.providers import Provider
from omni_gateway.auth.principal import Role
from omni_gateway.auth.scope import EVERYTHING, LONGEST_PATTERN, MOST_PATTERNS, Scope

LONGEST_NAME = 200
_NAMES = ("preferred_username", "email", "name")


def value_at(claims: Mapping[str, Any], path: str) -> Any:
    """Return the claim at a path, or None.

    Dots separate nested members (``realm_access.roles``), but names may have dots too (``https://example.com/roles``):
    at each level the longest matching name is used.
    """
    return _walk(claims, path.split("."))


def _walk(claims: Any, words: Sequence[str]) -> Any:
    if not isinstance(claims, Mapping):
        return None
    for length in range(len(words), 0, -1):
        name = ".".join(words[:length])
        if name in claims:
            return claims[name] if length == len(words) else _walk(claims[name], words[length:])
    return None


def texts(value: Any) -> list[str]:
    """Return a claim's strings: one, or those of a list; other values are ignored."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def role_of(provider: Provider, claims: Mapping[str, Any]) -> Role | None:
    """Return the highest role in the provider's role claim; None if there is none."""
    mapping: Mapping[str, Role] = provider.role_mapping or {role.value: role for role in Role}
    return max(
        (mapping[text] for text in texts(value_at(claims, provider.role_claim)) if text in mapping), default=None
    )


def scope_of(provider: Provider, claims: Mapping[str, Any]) -> Scope:
    """Return the scope: by the provider's clusters claim if it has one (no cluster if absent), else the provider's."""
    if provider.clusters_claim:
        patterns = texts(value_at(claims, provider.clusters_claim))
        return Scope(tuple(pattern for pattern in patterns if 0 < len(pattern) <= LONGEST_PATTERN)[:MOST_PATTERNS])
    return EVERYTHING if provider.clusters is None else Scope(provider.clusters)


def name_of(claims: Mapping[str, Any]) -> str:
    """Return a display name for logs; at many providers users choose it, so it must not be used for authorization."""
    for claim in (*_NAMES, "sub"):
        text = "".join(character for character in str(claims.get(claim) or "") if character.isprintable())
        if text:
            return text[:LONGEST_NAME]
    return ""
