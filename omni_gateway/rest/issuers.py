"""Checks of OpenID Connect issuers for plugins: whether their tokens can be verified, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni_gateway.rest.gateway import current_gateway

if TYPE_CHECKING:
    from omni_gateway.auth.oidc import Report


def check_issuer(issuer: str) -> Report:
    """Check an OpenID Connect issuer as the gateway uses it, without its caches: discovery, key set, keys.

    Returns a report with ``steps`` (each with ``name``, ``ok`` and ``detail``) and ``ok``, True if all steps succeeded.
    Never raises; takes 20 s at most for a slow issuer.
    """
    return current_gateway().issuers().check(issuer)


def takes_jwts() -> bool:
    """Return True if this gateway accepts JWTs of OpenID Connect providers (``OMNI_GATEWAY_AUTH``)."""
    return current_gateway().issuers().tokens_count
