"""Leases: which process of a deployment does work for all of them. No clocks of different machines are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omni_gateway.store.database import Database

#: Seconds of one call, less than a lease is valid.
_CALL_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Holding:
    """Who holds a lease (empty: released), and a number that each renewal increments."""

    holder: str
    turn: int


class LeaseStore:
    """Compare and swap of the holders of leases."""

    def __init__(self, engine: Callable[[], Database]) -> None:
        self._engine = engine

    def find(self, name: str) -> Holding | None:
        """Return the holding of a lease, None if it was never held."""
        from sqlalchemy import select

        from omni_gateway.store.tables import LEASES as T

        with self._engine().connect(_CALL_SECONDS) as connection:
            row = connection.execute(select(T.c.holder, T.c.turn).where(T.c.name == name)).first()
        return Holding(row.holder, row.turn) if row else None

    def swap(self, name: str, seen: Holding | None, holder: str) -> Holding | None:
        """Give a lease to ``holder`` if its holding is still ``seen``; return the new holding, None if it is not."""
        from sqlalchemy import insert, update
        from sqlalchemy.exc import IntegrityError

        from omni_gateway.store.tables import LEASES as T

        new = Holding(holder, seen.turn + 1 if seen else 1)
        values = {"holder": new.holder, "turn": new.turn}
        try:
            with self._engine().begin(_CALL_SECONDS) as connection:
                if seen is None:
                    connection.execute(insert(T).values(name=name, **values))
                    return new
                unchanged = (T.c.name == name) & (T.c.holder == seen.holder) & (T.c.turn == seen.turn)
                return new if connection.execute(update(T).where(unchanged).values(**values)).rowcount else None
        except IntegrityError:
            return None

    def forget(self, name: str) -> None:
        """Remove a lease that is not needed any more, whoever holds it."""
        from sqlalchemy import delete

        from omni_gateway.store.tables import LEASES as T

        with self._engine().begin(_CALL_SECONDS) as connection:
            connection.execute(delete(T).where(T.c.name == name))
