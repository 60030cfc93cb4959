"""The gateway's own bearer tokens."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace

from omni_gateway.auth.authenticator import Rejected
from omni_gateway.auth.last_uses import LastUses
from omni_gateway.auth.principal import MethodName, Principal, Role
from omni_gateway.auth.scope import Scope
from omni_gateway.lru import LRUCache
from omni_gateway.store import StoreUnavailable, Token, TokenStore

CACHE_SECONDS = 1.0
CACHE_SIZE = 1024
#: How long the store may take to confirm a token that it has confirmed before; then it counts as unavailable.
KNOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Found:
    """A cached lookup; ``token`` None: unknown to the store.

    ``confirmed``: when the store was read; ``until``: when it is read again (both monotonic).
    """

    token: Token | None
    confirmed: float
    until: float


class TokenMethod:
    """Looks tokens up in the store by their hash; results are cached for a second, so that revocations act soon.

    While the store cannot be read, tokens that it has confirmed are accepted for the grace period (but not beyond their
    own expiry). For unknown ones :class:`StoreUnavailable` is raised; that is no failed login.

    Only the SHA-256 of a token is stored and looked up: a token has 256 random bits, so its hash does not reveal it,
    and the lookup's timing depends on the hash only.
    """

    name: MethodName = "token"

    def __init__(self, tokens: TokenStore, grace: float = 0.0) -> None:
        """``grace``: seconds for which confirmed tokens are accepted while the store cannot be read."""
        self._tokens = tokens
        self._grace = grace
        self._found: LRUCache[str, _Found] = LRUCache(CACHE_SIZE)
        self._uses = LastUses(tokens)

    def recognises(self, credential: str) -> bool:
        """Return True: an operator's own bootstrap token may have any form, so this method is the last in order."""
        return True

    def authenticate(self, credential: str) -> Principal:
        """Return the token's principal; raise :class:`Rejected` if it is unknown, revoked or expired."""
        token = self._find(hashlib.sha256(credential.encode("utf-8", "surrogateescape")).hexdigest())
        if token is None or not token.valid():
            raise Rejected("The token is unknown, revoked or expired.")
        self._uses.note(token.id)
        return Principal(
            token.name, Role(token.role), f"token:{token.id}", scope=Scope(token.clusters), expires=token.expires
        )

    def _find(self, digest: str) -> Token | None:
        """Return a token, or None; raise StoreUnavailable if the store cannot be read and the grace period is over."""
        now = time.monotonic()
        cached = self._found.get(digest)
        if cached is not None and now < cached.until:
            return cached.token
        known = cached is not None and cached.token is not None and now < cached.confirmed + self._grace
        try:
            token = self._tokens.find_by_hash(digest, KNOWN_SECONDS if known else None)
        except StoreUnavailable:
            if cached is None or not known:
                raise
            # Not every request shall wait for a store that fails: the cached token is used for another second.
            until = min(time.monotonic() + CACHE_SECONDS, cached.confirmed + self._grace)
            self._found.put(digest, replace(cached, until=until))
            return cached.token
        confirmed = time.monotonic()
        self._found.put(digest, _Found(token, confirmed, confirmed + CACHE_SECONDS))
        return token
