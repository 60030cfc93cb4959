"""The modules that are mutated, by what they decide; pyproject.toml names the same modules to mutmut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GROUPS: Mapping[str, Sequence[str]] = {
    "etag": ("omni_gateway.http.etags", "omni_gateway.rest.representation"),
    "access": (
        "omni_gateway.auth.scope",
        "omni_gateway.http.guard",
        "omni_gateway.http.route_access",
        "omni_gateway.http.concealment",
        "omni_gateway.rest.adapters.scoped",
    ),
    "auth": (
        "omni_gateway.auth.authenticator",
        "omni_gateway.auth.failed_logins",
        "omni_gateway.auth.last_uses",
        "omni_gateway.auth.omni_key",
        "omni_gateway.auth.principal",
        "omni_gateway.auth.tokens",
        "omni_gateway.auth.oidc.*",
        "omni_gateway.settings.authentication",
    ),
    "cache": ("omni_gateway.rest.response_cache", "omni_gateway.rest.views.cached_response", "omni_gateway.cache.*"),
    "audit": ("omni_gateway.audit", "omni_gateway.audit.*"),
}
