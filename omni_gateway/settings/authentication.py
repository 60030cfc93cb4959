"""The authenticator of an application, with the methods that the settings enable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omni_gateway.auth import Authenticator, Method, OmniKeyMethod, Principal, Role, TokenMethod
from omni_gateway.omni import OmniClient
from omni_gateway.settings import Settings
from omni_gateway.store import Store

if TYPE_CHECKING:
    from omni_gateway.auth.oidc import Fetcher, IssuerChecks

ANONYMOUS = Principal("anonymous", Role.ADMIN, "anonymous", "off")


def authenticator(settings: Settings, store: Store, omni: OmniClient) -> Authenticator:
    """Return the authenticator; tokens are its last method, for that one recognises any credential."""
    methods: list[Method] = []
    if "omni-key" in settings.auth:
        methods.append(OmniKeyMethod(omni))
    if "oidc" in settings.auth:
        methods.append(_oidc(settings, store))
    if "token" in settings.auth:
        methods.append(TokenMethod(store.tokens, settings.store_grace))
    return Authenticator(methods, ANONYMOUS if "off" in settings.auth else None)


def _oidc(settings: Settings, store: Store) -> Method:
    from omni_gateway.auth.oidc import OidcMethod, Providers, load_keys

    fetcher = _fetcher(settings)
    return OidcMethod(Providers(store.documents, grace=settings.store_grace), lambda issuer: load_keys(fetcher, issuer))


def issuer_checks(settings: Settings) -> IssuerChecks:
    """Return the checks of OIDC issuers for admins; they use the same fetcher as the authentication itself."""
    from omni_gateway.auth.oidc import IssuerChecks

    return IssuerChecks(_fetcher(settings), tokens_count="oidc" in settings.auth)


def _fetcher(settings: Settings) -> Fetcher:
    from omni_gateway.auth.oidc import Fetcher

    return Fetcher(private_addresses=settings.oidc_private_addresses, ca_file=settings.oidc_ca_file)
