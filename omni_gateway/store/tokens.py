"""The gateway's tokens; only their SHA-256 is stored."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from omni_gateway.store.text import require_storable, storable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from omni_gateway.store.database import Database

log = logging.getLogger(__name__)

SECRET_BYTES = 32
PREFIX = "ogw_"
BOOTSTRAP = "bootstrap"


@dataclass(frozen=True, slots=True)
class Token:
    """A token's record, without its text."""

    id: str
    name: str
    role: str
    created: datetime
    expires: datetime | None
    revoked: bool
    #: Patterns of the clusters that it is restricted to; None: unrestricted.
    clusters: tuple[str, ...] | None = None
    #: To the minute.
    last_used: datetime | None = None

    def valid(self) -> bool:
        """Return whether the token is neither revoked nor expired."""
        return not self.revoked and (self.expires is None or datetime.now(UTC) < self.expires)


class TokenStore:
    """Creates, finds, lists and revokes tokens."""

    def __init__(self, engine: Callable[[], Database]) -> None:
        self._engine = engine

    def create(
        self, name: str, role: str, ttl: timedelta | None, clusters: Sequence[str] | None = None
    ) -> tuple[Token, str]:
        """Create a token of 256 random bits; its text is returned, but not stored."""
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        return self._insert(name, role, secret, ttl, clusters=clusters), secret

    def create_first(self, name: str, role: str) -> str | None:
        """Create the first token and return its text; None if there is any, revoked ones included.

        Of several processes that start at once, only one creates it.
        """
        from sqlalchemy import select
        from sqlalchemy.exc import IntegrityError

        from omni_gateway.store.tables import TOKENS

        with self._engine().connect() as connection:
            if connection.execute(select(TOKENS.c.id).limit(1)).first() is not None:
                return None
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        try:
            self._insert(name, role, secret, None, id=name)
        except IntegrityError:
            return None
        return secret

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

        require_storable(name=name, clusters=clusters)
        now = datetime.now(UTC)
        patterns = None if clusters is None else tuple(clusters)
        token = Token(id or secrets.token_hex(6), name, role, now, now + ttl if ttl else None, False, patterns)
        row = insert(TOKENS).values(
            id=token.id,
            name=name,
            role=role,
            sha256=_digest(secret),
            created=token.created,
            expires=token.expires,
            revoked=False,
            clusters=None if patterns is None else list(patterns),
        )
        with self._engine().begin() as connection:
            connection.execute(row)
        return token

    def find_by_hash(self, digest: str, seconds: float | None = None) -> Token | None:
        """Return the token with this SHA-256 (hex), revoked and expired ones included.

        ``seconds``: a deadline shorter than a call's usual one.
        """
        from sqlalchemy import select

        from omni_gateway.store.tables import TOKENS

        with self._engine().connect(seconds) as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.sha256 == digest)).mappings().first()
        if row is None or not secrets.compare_digest(row["sha256"], digest):
            return None
        return _token(row)

    def find(self, id: str) -> Token | None:
        """Return a token that is not revoked, by its id."""
        from sqlalchemy import select

        from omni_gateway.store.tables import TOKENS

        if not storable(id):
            return None
        query = select(TOKENS).where(TOKENS.c.id == id, TOKENS.c.revoked.is_(False))
        with self._engine().connect() as connection:
            row = connection.execute(query).mappings().first()
        return _token(row) if row else None

    def used(self, id: str, at: datetime) -> None:
        """Record the time of a token's use, unless a later one is recorded already."""
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
        """Revoke a token; return False if there is none with this id."""
        from sqlalchemy import update

        from omni_gateway.store.tables import TOKENS

        if not storable(id):
            return False
        with self._engine().begin() as connection:
            return bool(connection.execute(update(TOKENS).where(TOKENS.c.id == id).values(revoked=True)).rowcount)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Any) -> Token:
    """Return a row's token with its times in UTC; SQLite returns times without a zone."""
    created, expires, last_used = (
        value.replace(tzinfo=UTC) if value and value.tzinfo is None else value
        for value in (row["created"], row["expires"], row["last_used"])
    )
    clusters = None if row["clusters"] is None else tuple(row["clusters"])
    return Token(row["id"], row["name"], row["role"], created, expires, bool(row["revoked"]), clusters, last_used)


def ensure_bootstrap(secret: str, engine: Engine) -> None:
    """Make the operator's token the bootstrap token, unless it has been replaced or revoked before.

    A replaced or revoked token is not restored: its value may come from a replica or worker that was started with the
    settings before the rotation. Several processes may call this at once.
    """
    from sqlalchemy import insert, select
    from sqlalchemy.exc import IntegrityError

    from omni_gateway.store.tables import TOKENS

    digest = _digest(secret)
    known = select(TOKENS.c.revoked).where(TOKENS.c.sha256 == digest)
    row = {"id": BOOTSTRAP, "name": BOOTSTRAP, "role": "admin", "sha256": digest, "revoked": False}
    while True:
        try:
            with engine.begin() as connection:
                revoked = connection.execute(known).scalar()
                if revoked is None:
                    _supersede_bootstrap(connection)
                    connection.execute(insert(TOKENS).values(**row, created=datetime.now(UTC)))
            break
        except IntegrityError:  # another process has created one meanwhile: read again
            continue
    if revoked:
        log.warning(
            "OMNI_GATEWAY_BOOTSTRAP_TOKEN holds a token that was revoked, or replaced by another one: it stays so."
            " Give a new value; `omni-gateway token create --role admin` makes a token without one."
        )


def _supersede_bootstrap(connection: Connection) -> None:
    """Revoke the current bootstrap token; its hash stays, so that its value is recognised as revoked later."""
    from sqlalchemy import func, literal, update

    from omni_gateway.store.tables import TOKENS

    id = literal(f"{BOOTSTRAP}-") + func.substr(TOKENS.c.sha256, 1, 16)
    connection.execute(update(TOKENS).where(TOKENS.c.id == BOOTSTRAP).values(id=id, revoked=True))
