"""AuthConfig: the login settings that a client reads before it has any credential."""

from __future__ import annotations

from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

AUTH_CONFIG = "AuthConfigs.omni.sidero.dev"
AUTH_CONFIG_ID = "auth-config"


def seed_login(store: Store) -> None:
    """Write AuthConfigs/auth-config where it is missing: OIDC with a client secret in clear, as Omni has it."""
    if store.peek("default", AUTH_CONFIG, AUTH_CONFIG_ID) is not None:
        return
    oidc = {
        "enabled": True,
        "provider_url": "https://login.example.org/oidc",
        "client_id": "omni",
        "client_secret": "the-secret-of-nobody",
        "scopes": ["openid", "profile", "email"],
    }
    spec = {"auth0": {}, "webauthn": {}, "saml": {}, "oidc": oidc, "has_initial_user": True}
    store.create(Resource("default", AUTH_CONFIG, AUTH_CONFIG_ID, spec))
