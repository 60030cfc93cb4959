"""The way in for JWTs of OpenID Connect providers."""

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
    """Takes tokens that an enabled provider signed for this gateway.

    What was verified is good for a minute, never beyond its expiry, and no longer than its providers stay as they are.
    A caller whose token gives no role is known, and may do nothing that takes one (403).

    :param load_keys: fetches the keys of an issuer; ``FetchError`` when they cannot be had.
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
        """Take whatever has the form of a JWT."""
        return tokens.is_jwt(credential)

    def authenticate(self, credential: str) -> Principal:
        """Return whom a token proves; :class:`Rejected` when it proves nobody."""
        snapshot = self._providers.current()
        digest = hashlib.sha256(credential.encode("ascii")).digest()
        now = self._clock()
        kept = self._verified.get(digest)
        if kept is not None and kept[0] == snapshot.generation and now < kept[1]:
            return kept[2]
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
        """Return an issuer's keys; those of issuers that no enabled provider has any more are forgotten."""
        with self._lock:
            if self._generation < snapshot.generation:
                self._generation = snapshot.generation
                self._issuers = {name: keys for name, keys in self._issuers.items() if name in snapshot.by_issuer}
            if issuer not in self._issuers:
                self._issuers[issuer] = IssuerKeys(issuer, lambda: self._load_keys(issuer), self._timing)
            return self._issuers[issuer]


def _provider_of(token: tokens.Unverified, snapshot: Snapshot) -> Provider:
    """Return the provider that the token says it is of; nothing is proved by that yet."""
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


def _principal(provider: Provider, said: Mapping[str, object]) -> Principal:
    """Two providers' callers never share an id: a provider's own id may have colons, so they are escaped."""
    return Principal(
        name=claims.name_of(said),
        role=claims.role_of(provider, said),
        id=f"oidc:{quote(provider.id, safe='')}:{said['sub']}",
        method="oidc",
        scope=claims.scope_of(provider, said),
    )
