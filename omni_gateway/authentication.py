"""Which ways in there are: from the settings to an authenticator."""

from __future__ import annotations

from omni_gateway.auth import Authenticator, Method, OmniKeyMethod, Principal, Role, TokenMethod
from omni_gateway.omni import OmniClient
from omni_gateway.settings import Settings
from omni_gateway.store import Store

ANONYMOUS = Principal("anonymous", Role.ADMIN, "anonymous", "off")


def authenticator(settings: Settings, store: Store, omni: OmniClient) -> Authenticator:
    """Return what tells this gateway's callers; tokens come last, for they take whatever nobody else recognises."""
    methods: list[Method] = []
    if "omni-key" in settings.auth:
        methods.append(OmniKeyMethod(omni))
    if "token" in settings.auth:
        methods.append(TokenMethod(store.tokens))
    return Authenticator(methods, ANONYMOUS if "off" in settings.auth else None)
