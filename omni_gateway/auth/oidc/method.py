"""The authentication method for JWTs of OpenID Connect providers."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from urllib.parse import quote

from omni_gateway.auth.authenticator import Rejected
from omni_gateway.auth.oidc import claims, tokens
from omni_gateway.auth.oidc.keys import KeySet
from omni_gateway.auth.oidc.providers import Provider, Providers, Snapshot
from omni_gateway.auth.oidc.rotation import IssuerKeys, Timing
from omni_gateway.auth.principal import MethodName, Principal
from omni_gateway.lru import LRUCache

CACHE_SECONDS = 60.0
CACHE_SIZE = 4096


class OidcMethod:
    """Accepts tokens that an enabled provider signed for this gateway.

    Verified tokens are cached for a minute, never beyond their expiry, and only until any provider changes. A caller
    whose token gives no role is authenticated, and gets 403 on routes that require one.

    :param load_keys: fetches the keys of an issuer; raises ``FetchError``.
    :param clock: seconds since the epoch.
    """

    name: MethodName = "oidc"

    def __init__(
        self,
        providers: Providers,
        load_keys: Callable[[str], KeySet],
        *,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._providers = providers
        self._load_keys = load_keys
        self._timing = timing
        self._clock = clock
        self._lock = Lock()
        self._issuers: dict[str, IssuerKeys] = {}
        self._generation = 0
        self._verified: LRUCache[bytes, tuple[int, float, Principal]] = LRUCache(CACHE_SIZE)

    def recognises(self, credential: str) -> bool:
        """Return whether a credential has the form of a JWT."""
        return tokens.is_jwt(credential)

    def authenticate(self, credential: str) -> Principal:
        """Return the token's principal; raise :class:`Rejected` if it is invalid."""
        snapshot = self._providers.current()
        digest = hashlib.sha256(credential.encode("ascii")).digest()
        now = self._clock()
        cached = self._verified.get(digest)
        if cached is not None:
            generation, until, principal = cached
            if generation == snapshot.generation and now < until:
                return principal
        token = tokens.read(credential)
        provider = _provider_of(token, snapshot)
        if not _is_signed(token, self._keys_of(provider.issuer, snapshot)):
            raise Rejected("The token's signature is not that of its issuer.")
        tokens.check_claims(token, provider, now)
        principal = _principal(provider, token.claims)
        until = min(float(token.claims["exp"]), now + CACHE_SECONDS)
        self._verified.put(digest, (snapshot.generation, until, principal))
        return principal

    def _keys_of(self, issuer: str, snapshot: Snapshot) -> IssuerKeys:
        """Return an issuer's keys; drop those of issuers that no enabled provider has any more."""
        with self._lock:
            if self._generation < snapshot.generation:
                self._generation = snapshot.generation
                self._issuers = {name: keys for name, keys in self._issuers.items() if name in snapshot.by_issuer}
            if issuer not in self._issuers:
                self._issuers[issuer] = IssuerKeys(issuer, lambda: self._load_keys(issuer), self._timing)
            return self._issuers[issuer]


def _provider_of(token: tokens.Unverified, snapshot: Snapshot) -> Provider:
    """Return the enabled provider of a token's ``iss`` and ``aud``, which are not verified yet; raise Rejected."""
    issuer = token.claims.get("iss")
    candidates: Sequence[Provider] = snapshot.by_issuer.get(issuer, ()) if isinstance(issuer, str) else ()
    if not candidates:
        raise Rejected("The token's issuer is none of the enabled OIDC providers.")
    audiences = claims.texts(token.claims.get("aud"))
    for provider in candidates:
        if provider.audience in audiences:
            return provider
    raise Rejected("The token is meant for another audience.")


def _is_signed(token: tokens.Unverified, keys: IssuerKeys) -> bool:
    if tokens.is_signed_by(token, keys.find(token.kid, token.algorithm)):
        return True
    return token.kid is None and tokens.is_signed_by(token, keys.find_others(token.algorithm))


def _principal(provider: Provider, verified: Mapping[str, object]) -> Principal:
    """Return the principal of verified claims; colons of the provider's id are escaped, so that ids stay unique."""
    return Principal(
        name=claims.name_of(verified),
        role=claims.role_of(provider, verified),
        id=f"oidc:{quote(provider.id, safe='')}:{verified['sub']}",
        method="oidc",
        scope=claims.scope_of(provider, verified),
    )
