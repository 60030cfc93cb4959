"""The engine, made on first use and once per process."""

from __future__ import annotations

import os
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from omni_gateway.store.idempotency import IdempotencyStore
from omni_gateway.store.tokens import TokenStore

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Store:
    """The gateway's own database.

    SQLAlchemy is imported on first use: an idle worker that nobody calls need not carry it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._engine: Engine | None = None
        self._pid = 0

    def engine(self) -> Engine:
        """Return this process's engine; a connection that crossed a fork would be shared with the parent."""
        with self._lock:
            if self._engine is None or self._pid != os.getpid():
                self._engine = _connect(self._url)
                self._pid = os.getpid()
            return self._engine

    @cached_property
    def tokens(self) -> TokenStore:
        """Return the tokens."""
        return TokenStore(self.engine)

    @cached_property
    def idempotency(self) -> IdempotencyStore:
        """Return the answers kept for Idempotency-Keys."""
        return IdempotencyStore(self.engine)


def _connect(url: str) -> Engine:
    from sqlalchemy import create_engine, event

    from omni_gateway.store.tables import METADATA

    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _configure(connection: object, _: object) -> None:
            cursor = connection.cursor()  # type: ignore[attr-defined]
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA busy_timeout=5000")
            cursor.close()

    METADATA.create_all(engine)
    return engine
