"""The gateway's tokens: only their SHA-256 is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine

SECRET_BYTES = 32
PREFIX = "ogw_"
BOOTSTRAP = "bootstrap"


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; its text is not."""

    id: str
    name: str
    role: str
    created: datetime
    expires: datetime | None
    revoked: bool
    #: Patterns of the clusters that it is for; None: all of them.
    clusters: tuple[str, ...] | None = None
    #: To the minute.
    last_used: datetime | None = None

    def valid(self) -> bool:
        """Whether it may still be used."""
        return not self.revoked and (self.expires is None or datetime.now(UTC) < self.expires)


class TokenStore:
    """Make, find, list and revoke tokens."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine

    def create(
        self, name: str, role: str, ttl: timedelta | None, clusters: Sequence[str] | None = None
    ) -> tuple[Token, str]:
        """Make a token with 256 random bits; its text is returned this once and kept nowhere."""
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        return self._insert(name, role, secret, ttl, clusters=clusters), secret

    def ensure_bootstrap(self, secret: str) -> None:
        """Make the token that the operator gave the one bootstrap token; an earlier one is forgotten.

        One that was revoked by hand stays revoked. Processes that start at once may all call this.
        """
        from sqlalchemy import delete
        from sqlalchemy.exc import IntegrityError

        from omni_gateway.store.tables import TOKENS

        digest = _digest(secret)
        superseded = delete(TOKENS).where(TOKENS.c.id == BOOTSTRAP, TOKENS.c.sha256 != digest)
        with self._engine().begin() as connection:
            connection.execute(superseded)
        if self.find_by_hash(digest) is None:
            with suppress(IntegrityError):  # another process made it just now
                self._insert(BOOTSTRAP, "admin", secret, None, id=BOOTSTRAP)

    def _insert(
        self,
        name: str,
        role: str,
        secret: str,
        ttl: timedelta | None,
        id: str | None = None,
        clusters: Sequence[str] | None = None,
    ) -> Token:
        from sqlalchemy import insert

        from omni_gateway.store.tables import TOKENS

        now = datetime.now(UTC)
        held_to = None if clusters is None else tuple(clusters)
        token = Token(id or secrets.token_hex(6), name, role, now, now + ttl if ttl else None, False, held_to)
        row = insert(TOKENS).values(
            id=token.id,
            name=name,
            role=role,
            sha256=_digest(secret),
            created=token.created,
            expires=token.expires,
            revoked=False,
            clusters=None if held_to is None else list(held_to),
        )
        with self._engine().begin() as connection:
            connection.execute(row)
        return token

    def find_by_hash(self, digest: str) -> Token | None:
        """Return the token whose SHA-256 (hex) this is, revoked and expired ones included."""
        from sqlalchemy import select

        from omni_gateway.store.tables import TOKENS

        with self._engine().connect() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.sha256 == digest)).mappings().first()
        if row is None or not secrets.compare_digest(row["sha256"], digest):
            return None
        return _token(row)

    def find(self, id: str) -> Token | None:
        """Return a token that is not revoked, by its id."""
        from sqlalchemy import select

        from omni_gateway.store.tables import TOKENS

        query = select(TOKENS).where(TOKENS.c.id == id, TOKENS.c.revoked.is_(False))
        with self._engine().connect() as connection:
            row = connection.execute(query).mappings().first()
        return _token(row) if row else None

    def used(self, id: str, at: datetime) -> None:
        """Keep when a token was used; an earlier time than the one kept changes nothing."""
        from sqlalchemy import or_, update

        from omni_gateway.store.tables import TOKENS

        earlier = or_(TOKENS.c.last_used.is_(None), TOKENS.c.last_used < at)
        with self._engine().begin() as connection:
            connection.execute(update(TOKENS).where(TOKENS.c.id == id, earlier).values(last_used=at))

    def list(self) -> list[Token]:
        """Return the tokens that are not revoked, oldest first."""
        from sqlalchemy import select

        from omni_gateway.store.tables import TOKENS

        query = select(TOKENS).where(TOKENS.c.revoked.is_(False)).order_by(TOKENS.c.created)
        with self._engine().connect() as connection:
            return [_token(row) for row in connection.execute(query).mappings()]

    def revoke(self, id: str) -> bool:
        """End a token; False when there is none of this id."""
        from sqlalchemy import update

        from omni_gateway.store.tables import TOKENS

        with self._engine().begin() as connection:
            return bool(connection.execute(update(TOKENS).where(TOKENS.c.id == id).values(revoked=True)).rowcount)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Any) -> Token:
    """SQLite gives times back without their zone; they were written in UTC."""
    created, expires, last_used = (
        value.replace(tzinfo=UTC) if value and value.tzinfo is None else value
        for value in (row["created"], row["expires"], row["last_used"])
    )
    clusters = None if row["clusters"] is None else tuple(row["clusters"])
    return Token(row["id"], row["name"], row["role"], created, expires, bool(row["revoked"]), clusters, last_used)
