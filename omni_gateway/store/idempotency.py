"""The responses recorded under idempotency keys.

A key is claimed before its request is executed. It is not released if the request ends without a response: the process
may have died, or lost the database, after the request had its effect.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omni_gateway.store.database import Database

KEPT = timedelta(hours=24)
#: Longer than any request may run: an older claim without a response is that of a process that died.
ABANDONED = timedelta(minutes=10)
#: A claim without a response is kept longer: the operator may have to find out whether it had an effect.
UNANSWERED_KEPT = timedelta(days=30)
#: The status of a claim that has ended without a response.
_UNKNOWN = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """The record of a key: the hash of its request, and the response (``status`` None until there is one).

    ``unknown``: the request has ended, and it is not known whether it had an effect.
    """

    request: str
    status: int | None
    headers: Mapping[str, str]
    body: bytes
    unknown: bool = False


class IdempotencyStore:
    """Claims and releases keys, and records their responses."""

    def __init__(self, engine: Callable[[], Database]) -> None:
        self._engine = engine

    def claim(self, key: str, request: str) -> Recorded | None:
        """Claim a key for a request; return None if it was free, else the record of its first use.

        ``key`` and ``request`` are hashes (hex). The primary key makes the claim atomic among workers.
        """
        from sqlalchemy import delete, func, insert, or_, select
        from sqlalchemy.exc import IntegrityError

        from omni_gateway.store.tables import IDEMPOTENCY as T

        now = datetime.now(UTC)
        answered = func.coalesce(T.c.status, _UNKNOWN) != _UNKNOWN
        old = delete(T).where(or_(T.c.created < now - UNANSWERED_KEPT, answered & (T.c.created < now - KEPT)))
        try:
            with self._engine().begin() as connection:
                connection.execute(old)
                connection.execute(insert(T).values(key=key, request=request, created=now))
        except IntegrityError:
            with self._engine().connect() as connection:
                row = connection.execute(select(T).where(T.c.key == key)).mappings().first()
            return self.claim(key, request) if row is None else _recorded(row, now)
        return None

    def keep(self, key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Record the response of a key."""
        self._write(key, status=status, headers=json.dumps(dict(headers)).encode(), body=body)

    def keep_unknown(self, key: str) -> None:
        """Record that a key's request has ended and that its outcome is unknown."""
        self._write(key, status=_UNKNOWN)

    def release(self, key: str) -> None:
        """Delete a key whose request had no effect, so that it can be used again."""
        from sqlalchemy import delete

        from omni_gateway.store.tables import IDEMPOTENCY as T

        with self._engine().begin() as connection:
            connection.execute(delete(T).where(T.c.key == key))

    def _write(self, key: str, **values: Any) -> None:
        from sqlalchemy import update

        from omni_gateway.store.tables import IDEMPOTENCY as T

        with self._engine().begin() as connection:
            connection.execute(update(T).where(T.c.key == key).values(**values))


def _recorded(row: Mapping[Any, Any], now: datetime) -> Recorded:
    created: datetime = row["created"]
    if created.tzinfo is None:  # SQLite returns times without a zone; they were written in UTC
        created = created.replace(tzinfo=UTC)
    status: int | None = row["status"]
    unknown = status == _UNKNOWN or (status is None and created < now - ABANDONED)
    headers = json.loads(row["headers"] or b"{}")
    return Recorded(row["request"], status or None, headers, row["body"] or b"", unknown)
