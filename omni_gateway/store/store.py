"""The gateway's own database, with a store for each kind of data."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from omni_gateway.store.audit import AuditStore
from omni_gateway.store.database import Database, lasting
from omni_gateway.store.documents import DocumentStore
from omni_gateway.store.errors import StoreUnavailable
from omni_gateway.store.idempotency import IdempotencyStore
from omni_gateway.store.leases import LeaseStore
from omni_gateway.store.sqlite import protect_folder
from omni_gateway.store.stream_tickets import StreamTicketStore
from omni_gateway.store.tokens import TokenStore, ensure_bootstrap

if TYPE_CHECKING:
    from sqlalchemy import Engine

log = logging.getLogger(__name__)

CALL_SECONDS = 5.0
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0


class Store:
    """The gateway's own database.

    SQLAlchemy is imported on first use, to save an idle worker's memory. Every call of its stores raises
    StoreUnavailable within ``seconds`` if the database cannot be used.
    """

    def __init__(
        self,
        url: str,
        bootstrap_token: str = "",
        *,
        seconds: float = CALL_SECONDS,
        folder: Path | None = None,
        left: Callable[[float], float] = lambda seconds: seconds,
    ) -> None:
        """Make the store, without a connection.

        :param bootstrap_token: becomes the bootstrap token on first use, unless another has replaced it before.
        :param left: bounds a call's seconds by what the current request has left.
        :param folder: the state directory, created or restricted to its owner on first use.
        """
        self._bootstrap_token = bootstrap_token
        self._folder = folder
        self.database = Database(url, seconds, before=self._before, after=self._after, left=left)

    def _before(self) -> None:
        if self._folder is not None:
            protect_folder(self._folder)

    def _after(self, engine: Engine) -> None:
        if self._bootstrap_token:
            ensure_bootstrap(self._bootstrap_token, engine)

    def engine(self) -> Engine:
        """Return this process's engine, opened."""
        return self.database.engine()

    def wait(self, seconds: float) -> None:
        """Wait until the store can be used; raise StoreUnavailable after ``seconds``.

        :raises StoreMisconfigured: its URL cannot be used.
        """
        until = time.monotonic() + seconds
        pause = FIRST_PAUSE
        while True:
            try:
                with self.database.connect(force=True):
                    return
            except StoreUnavailable as error:
                remaining = until - time.monotonic()
                if remaining <= 0 or lasting(error):
                    raise
                if pause == FIRST_PAUSE:
                    log.warning("%s The start waits for it, %.0f s at most.", error.reason, seconds)
            time.sleep(min(pause, remaining))
            pause = min(pause * 2, LONGEST_PAUSE)

    def check(self) -> None:
        """Raise StoreUnavailable if the store cannot be read, or if its last write failed and still does.

        The call is made even while the circuits are open: without other requests, only it closes them again.
        """
        from sqlalchemy import text

        with self.database.connect(force=True) as connection:
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if self.database.writes.failure is not None:
            with self.database.begin(force=True) as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = version_num"))

    def close(self) -> None:
        """Close the connections; the next use opens others."""
        self.database.close()

    @cached_property
    def tokens(self) -> TokenStore:
        """Return the tokens."""
        return TokenStore(lambda: self.database)

    @cached_property
    def idempotency(self) -> IdempotencyStore:
        """Return the responses under idempotency keys."""
        return IdempotencyStore(lambda: self.database)

    @cached_property
    def stream_tickets(self) -> StreamTicketStore:
        """Return the tickets of streams."""
        return StreamTicketStore(lambda: self.database)

    @cached_property
    def leases(self) -> LeaseStore:
        """Return the leases."""
        return LeaseStore(lambda: self.database)

    @cached_property
    def documents(self) -> DocumentStore:
        """Return the documents of plugins."""
        return DocumentStore(lambda: self.database)

    @cached_property
    def audit(self) -> AuditStore:
        """Return the audit entries."""
        return AuditStore(lambda: self.database)
