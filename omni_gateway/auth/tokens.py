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
#: How long the store may take to confirm a token that it has confirmed before; then it counts as away.
KNOWN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Found:
    """What the store said of a token, None for an unknown one: when, and until when it is not asked again."""

    token: Token | None
    confirmed: float
    until: float


class TokenMethod:
    """Looks tokens up by their hash; what it found is good for a second, so that a revocation is soon obeyed.

    While the store cannot be read, a token that it has confirmed goes on to count for the time of grace, its own expiry
    included. Unknown ones cannot be judged then: StoreUnavailable, and no failed login.

    Only the SHA-256 of a token is kept and looked up: a token has 256 random bits, so its hash gives nothing away and
    the look-up's timing tells of hashes only.
    """

    name: MethodName = "token"

    def __init__(self, tokens: TokenStore, grace: float = 0.0) -> None:
        """``grace``: seconds that a token counts which the store has confirmed, while the store cannot be read."""
        self._tokens = tokens
        self._grace = grace
        self._found: LRUCache[str, _Found] = LRUCache(CACHE_SIZE)
        self._uses = LastUses(tokens)

    def recognises(self, credential: str) -> bool:
        """Take whatever no other method wants: an operator's own bootstrap token may look like anything."""
        return True

    def authenticate(self, credential: str) -> Principal:
        """Return who holds a token; :class:`Rejected` when it is unknown, revoked or expired."""
        token = self._find(hashlib.sha256(credential.encode("utf-8", "surrogateescape")).hexdigest())
        if token is None or not token.valid():
            raise Rejected("The token is unknown, revoked or expired.")
        self._uses.note(token.id)
        return Principal(
            token.name, Role(token.role), f"token:{token.id}", scope=Scope(token.clusters), expires=token.expires
        )

    def _find(self, digest: str) -> Token | None:
        """Look a token up; StoreUnavailable when the store cannot be read and the token is not known well enough."""
        now = time.monotonic()
        kept = self._found.get(digest)
        if kept is not None and now < kept.until:
            return kept.token
        known = kept is not None and kept.token is not None and now < kept.confirmed + self._grace
        try:
            token = self._tokens.find_by_hash(digest, KNOWN_SECONDS if known else None)
        except StoreUnavailable:
            if kept is None or not known:
                raise
            until = min(time.monotonic() + CACHE_SECONDS, kept.confirmed + self._grace)
            self._found.put(digest, replace(kept, until=until))
            return kept.token
        confirmed = time.monotonic()
        self._found.put(digest, _Found(token, confirmed, confirmed + CACHE_SECONDS))
        return token
