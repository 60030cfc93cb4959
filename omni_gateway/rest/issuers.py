"""What a plugin may ask of OpenID Connect issuers: whether their tokens can be verified, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni_gateway.rest.gateway import current_gateway

if TYPE_CHECKING:
    from omni_gateway.auth.oidc import Report


def check_issuer(issuer: str) -> Report:
    """Try an OpenID Connect issuer as the gateway itself would, past its caches: discovery, key set, keys.

    The report's ``steps`` have ``name``, ``ok`` and ``detail``; ``ok`` tells whether all went well. Never raises; takes
    20 s at most, where the issuer answers slowly.
    """
    return current_gateway().issuers().check(issuer)


def takes_jwts() -> bool:
    """Whether JWTs of OpenID Connect providers are a way into this gateway (``OMNI_GATEWAY_AUTH``)."""
    return current_gateway().issuers().tokens_count
