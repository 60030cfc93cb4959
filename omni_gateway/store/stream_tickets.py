"""The tickets by which browsers open streams; only their SHA-256 is stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omni_gateway.store.database import Database


class StreamTicketStore:
    """Adds tickets, and marks each as used once."""

    def __init__(self, engine: Callable[[], Database]) -> None:
        self._engine = engine

    def add(self, sha256: str, caller: str, sealed: bytes, expires: datetime, most: int) -> bool:
        """Store a ticket; return False if its caller has ``most`` unused ones already.

        :param sha256: the hash (hex) of the ticket.
        :param caller: a hash (hex) of the caller's id.
        :param sealed: what :meth:`use` returns, which only the ticket's holder can decrypt.

        Expired tickets of all callers are removed.
        """
        from sqlalchemy import delete, func, insert, select

        from omni_gateway.store.tables import STREAM_TICKETS as T

        with self._engine().begin() as connection:
            connection.execute(delete(T).where(T.c.expires <= datetime.now(UTC)))
            unused = select(func.count()).select_from(T).where(T.c.caller == caller, ~T.c.used)
            if connection.execute(unused).scalar_one() >= most:
                return False
            row = {"sha256": sha256, "caller": caller, "sealed": sealed, "used": False, "expires": expires}
            connection.execute(insert(T).values(row))
        return True

    def use(self, sha256: str) -> bytes | None:
        """Mark a ticket as used and return its sealed content.

        Returns the empty text for a ticket that was used before, None for an unknown or expired one. Of several calls
        for one ticket, in any process, one gets the content.
        """
        from sqlalchemy import select, update

        from omni_gateway.store.tables import STREAM_TICKETS as T

        with self._engine().begin() as connection:
            unexpired = (T.c.sha256 == sha256) & (T.c.expires > datetime.now(UTC))
            sealed: bytes | None = connection.execute(select(T.c.sealed).where(unexpired)).scalar()
            if sealed is None:
                return None
            # The row is not read under a lock: the condition on `used` lets one of several updates have it.
            change = update(T).where(unexpired, ~T.c.used).values(used=True, sealed=b"")
            return sealed if connection.execute(change).rowcount else b""
