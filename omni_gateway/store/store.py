"""The engine, made on first use and once per process."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from omni_gateway.store.audit import AuditStore
from omni_gateway.store.documents import DocumentStore
from omni_gateway.store.idempotency import IdempotencyStore
from omni_gateway.store.migrating import migrate
from omni_gateway.store.tokens import TokenStore

if TYPE_CHECKING:
    from sqlalchemy import Engine

#: A server that does not answer is soon given up: requests wait behind the attempt.
CONNECT_SECONDS = 5


class Store:
    """The gateway's own database.

    SQLAlchemy is imported on first use: an idle worker that nobody calls need not carry it.
    """

    def __init__(self, url: str, bootstrap_token: str = "") -> None:
        """Open nothing yet; ``bootstrap_token`` becomes the one bootstrap token on first use, whoever serves."""
        self._url = url
        self._bootstrap_token = bootstrap_token
        self._lock = Lock()
        self._engine: Engine | None = None
        self._pid = 0

    def engine(self) -> Engine:
        """Return this process's engine; a connection that crossed a fork would be shared with the parent."""
        with self._lock:
            if self._engine is not None and self._pid != os.getpid():
                self._engine.dispose(close=False)  # the parent still uses what it opened
                self._engine = None
            if self._engine is None:
                engine = _connect(self._url)
                if self._bootstrap_token:
                    TokenStore(lambda: engine).ensure_bootstrap(self._bootstrap_token)
                self._engine, self._pid = engine, os.getpid()
            return self._engine

    @cached_property
    def tokens(self) -> TokenStore:
        """Return the tokens."""
        return TokenStore(self.engine)

    @cached_property
    def idempotency(self) -> IdempotencyStore:
        """Return the answers kept for Idempotency-Keys."""
        return IdempotencyStore(self.engine)

    @cached_property
    def documents(self) -> DocumentStore:
        """Return the objects that plugins keep here."""
        return DocumentStore(self.engine)

    @cached_property
    def audit(self) -> AuditStore:
        """Return the entries of the audit."""
        return AuditStore(self.engine)


def _connect(url: str) -> Engine:
    from sqlalchemy import create_engine, event

    psycopg = url.startswith("postgresql+psycopg") and "connect_timeout" not in url
    arguments = {"connect_timeout": CONNECT_SECONDS} if psycopg else {}
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"), connect_args=arguments)
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)

        @event.listens_for(engine, "connect")
        def _configure(connection: object, _: object) -> None:
            cursor = connection.cursor()  # type: ignore[attr-defined]
            cursor.execute("PRAGMA busy_timeout=5000")
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.close()

    migrate(engine)
    return engine
