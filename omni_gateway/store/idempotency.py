"""The answers kept for Idempotency-Keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omni_gateway.store.database import Database

KEPT = timedelta(hours=24)
#: A claim without an answer is that of a worker that died; longer than any request may run.
ABANDONED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is kept of a key: the hash of its request, and the answer once there is one (``status`` None until then)."""

    request: str
    status: int | None
    headers: Mapping[str, str]
    body: bytes


class IdempotencyStore:
    """Claim a key, keep its answer, find it again."""

    def __init__(self, engine: Callable[[], Database]) -> None:
        self._engine = engine

    def claim(self, key: str, request: str) -> Recorded | None:
        """Take a key for a request; None when it is ours now, else what is kept of its first use.

        ``key`` and ``request`` are hashes (hex). The primary key makes the claim atomic among workers.
        """
        from sqlalchemy import delete, insert, or_, select
        from sqlalchemy.exc import IntegrityError

        from omni_gateway.store.tables import IDEMPOTENCY as T

        now = datetime.now(UTC)
        old = delete(T).where(or_(T.c.created < now - KEPT, (T.c.status.is_(None)) & (T.c.created < now - ABANDONED)))
        try:
            with self._engine().begin() as connection:
                connection.execute(old)
                connection.execute(insert(T).values(key=key, request=request, created=now))
        except IntegrityError:
            with self._engine().connect() as connection:
                row = connection.execute(select(T).where(T.c.key == key)).mappings().first()
            if row is None:
                return self.claim(key, request)
            return Recorded(row["request"], row["status"], json.loads(row["headers"] or b"{}"), row["body"] or b"")
        return None

    def keep(self, key: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Keep the answer of a key."""
        from sqlalchemy import update

        from omni_gateway.store.tables import IDEMPOTENCY as T

        values = {"status": status, "headers": json.dumps(dict(headers)).encode(), "body": body}
        with self._engine().begin() as connection:
            connection.execute(update(T).where(T.c.key == key).values(**values))

    def release(self, key: str) -> None:
        """Forget a key whose request failed, so that it can be tried again."""
        from sqlalchemy import delete

        from omni_gateway.store.tables import IDEMPOTENCY as T

        with self._engine().begin() as connection:
            connection.execute(delete(T).where(T.c.key == key))
