"""The gateway's own bearer tokens."""

from __future__ import annotations

import hashlib
import logging
import time
from datetime import UTC, datetime
from threading import Lock

from omni_gateway.auth.authenticator import Rejected
from omni_gateway.auth.principal import MethodName, Principal, Role
from omni_gateway.auth.scope import Scope
from omni_gateway.recent import Recent
from omni_gateway.store import Token, TokenStore

log = logging.getLogger(__name__)

CACHE_SECONDS = 1.0
CACHE_SIZE = 1024
NOTE_SECONDS = 60.0


class TokenMethod:
    """Looks tokens up by their hash; what it found is good for a second, so that a revocation is soon obeyed.

    Only the SHA-256 of a token is kept and looked up: a token has 256 random bits, so its hash gives nothing away and
    the look-up's timing tells of hashes only.
    """

    name: MethodName = "token"

    def __init__(self, tokens: TokenStore) -> None:
        self._tokens = tokens
        self._lock = Lock()
        self._found: Recent[str, tuple[float, Token | None]] = Recent(CACHE_SIZE)
        self._noted: dict[str, float] = {}

    def recognises(self, credential: str) -> bool:
        """Take whatever no other method wants: an operator's own bootstrap token may look like anything."""
        return True

    def authenticate(self, credential: str) -> Principal:
        """Return who holds a token; :class:`Rejected` when it is unknown, revoked or expired."""
        token = self._find(hashlib.sha256(credential.encode("utf-8", "surrogateescape")).hexdigest())
        if token is None or not token.valid():
            raise Rejected("The token is unknown, revoked or expired.")
        self._note_use(token)
        return Principal(
            token.name, Role(token.role), f"token:{token.id}", scope=Scope(token.clusters), expires=token.expires
        )

    def _note_use(self, token: Token) -> None:
        """Keep when the token was used, at most once a minute; a store that fails loses a date and no request."""
        now = time.monotonic()
        with self._lock:
            if self._noted.get(token.id, -NOTE_SECONDS) > now - NOTE_SECONDS:
                return
            if len(self._noted) >= CACHE_SIZE:
                self._noted.clear()
            self._noted[token.id] = now
        try:
            self._tokens.used(token.id, datetime.now(UTC))
        except Exception:
            log.warning("the last use of token %s could not be kept", token.id, exc_info=True)

    def _find(self, digest: str) -> Token | None:
        now = time.monotonic()
        kept = self._found.get(digest)
        if kept is not None and kept[0] > now:
            return kept[1]
        token = self._tokens.find_by_hash(digest)
        self._found.put(digest, (now + CACHE_SECONDS, token))
        return token
