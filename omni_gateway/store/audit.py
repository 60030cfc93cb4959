"""Audit entries: written in batches, read by page, pruned by age and number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from omni_gateway.store.text import storable

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

    from omni_gateway.store.database import Database

PRUNE_BATCH = 1000
_EQUAL = ("who", "caller_id", "method", "resource", "object_id", "cluster", "status", "outcome", "code", "request_id")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One request, or the number ``times`` of sampled ones with one status and code; unknown members are empty.

    ``id`` sorts by ``time``: its first 16 hex digits are nanoseconds since 1970. ``changed`` are names of fields,
    ``documents`` have a ``type`` and an ``id`` each.
    """

    id: str
    time: datetime
    status: int
    who: str = ""
    caller_id: str = ""
    auth: str = ""
    role: str = ""
    method: str = ""
    route: str = ""
    path: str = ""
    resource: str = ""
    object_id: str = ""
    cluster: str = ""
    outcome: str = ""
    code: str = ""
    dry_run: bool = False
    replayed: bool = False
    request_id: str = ""
    remote: str = ""
    duration_ms: float = 0.0
    changed: Sequence[str] = field(default_factory=list)
    documents: Sequence[Mapping[str, str]] = field(default_factory=list)
    times: int = 1

    def document(self) -> dict[str, Any]:
        """Return the members by name; ``time`` as RFC 3339 text."""
        members = {name: getattr(self, name) for name in self.__slots__}
        members["time"] = self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return members


class AuditStore:
    """Add, read and prune entries."""

    def __init__(self, engine: Callable[[], Database]) -> None:
        self._engine = engine

    def add(self, entries: Sequence[AuditEntry]) -> None:
        """Write entries in one transaction."""
        from sqlalchemy import insert

        from omni_gateway.store.tables import AUDIT as T

        with self._engine().begin() as connection:
            connection.execute(insert(T), [asdict(entry) for entry in entries])

    def page(
        self, filters: Mapping[str, Any], *, offset: int = 0, limit: int = 100, oldest_first: bool = False
    ) -> tuple[list[AuditEntry], int]:
        """Return one page and the number of all matching entries.

        ``filters``: a column's name → its value; ``since`` (included) and ``until`` (excluded) times; ``after`` an id;
        ``text`` a part of the path.
        """
        from sqlalchemy import func, select

        from omni_gateway.store.tables import AUDIT as T

        if not all(storable(value) for value in filters.values() if isinstance(value, str)):
            return [], 0
        where = _conditions(filters)
        order = T.c.id.asc() if oldest_first else T.c.id.desc()
        query: Select[Any] = select(T).where(*where).order_by(order).offset(offset).limit(limit)
        with self._engine().connect() as connection:
            total = connection.execute(select(func.count()).select_from(T).where(*where)).scalar_one()
            return [_entry(row) for row in connection.execute(query).mappings()], total

    def find(self, id: str) -> AuditEntry | None:
        """Return one entry, or None."""
        from sqlalchemy import select

        from omni_gateway.store.tables import AUDIT as T

        if not storable(id):
            return None
        with self._engine().connect() as connection:
            row = connection.execute(select(T).where(T.c.id == id)).mappings().first()
        return _entry(row) if row else None

    def prune(
        self, *, before: datetime, rows: int, unauthenticated_rows: int, go_on: Callable[[], bool] = lambda: True
    ) -> int:
        """Remove entries older than ``before``, and the oldest beyond ``rows``; return the number removed.

        Entries without a caller have a bound of their own, so that they displace only few others. In batches, each a
        transaction, until ``go_on`` returns False; safe while other workers and replicas do the same.
        """
        from omni_gateway.store.tables import AUDIT as T

        removed = 0
        bounds: tuple[Callable[[], ColumnElement[bool] | None], ...] = (
            lambda: T.c.id < id_at(before),
            lambda: self._beyond(unauthenticated_rows, T.c.caller_id == ""),
            lambda: self._beyond(rows),
        )
        for bound in bounds:  # each is computed after the removals of those before it
            condition = bound()
            while condition is not None and go_on() and (batch := self._remove(condition)):
                removed += batch
        return removed

    def _beyond(self, most: int, *which: ColumnElement[bool]) -> ColumnElement[bool] | None:
        """Return the condition for all but the newest ``most`` entries; None if there are no more than that."""
        from sqlalchemy import and_, select

        from omni_gateway.store.tables import AUDIT as T

        query = select(T.c.id).where(*which).order_by(T.c.id.desc()).offset(most).limit(1)
        with self._engine().connect() as connection:
            newest = connection.execute(query).scalar()
        return and_(*which, T.c.id <= newest) if newest else None

    def _remove(self, condition: ColumnElement[bool]) -> int:
        from sqlalchemy import delete, select

        from omni_gateway.store.tables import AUDIT as T

        some = select(T.c.id).where(condition).order_by(T.c.id).limit(PRUNE_BATCH).with_for_update(skip_locked=True)
        with self._engine().begin() as connection:
            ids = connection.execute(some).scalars().all()
            if ids:
                connection.execute(delete(T).where(T.c.id.in_(ids)))
        return len(ids)


def id_at(moment: datetime) -> str:
    """Return the least id that an entry of this moment or later can have."""
    return f"{max(0, int(moment.timestamp() * 1000)) * 1_000_000:016x}"


def _conditions(filters: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    from omni_gateway.store.tables import AUDIT as T

    where: list[ColumnElement[bool]] = [T.c[name] == filters[name] for name in _EQUAL if name in filters]
    if "since" in filters:
        where.append(T.c.id >= id_at(filters["since"]))
    if "until" in filters:
        where.append(T.c.id < id_at(filters["until"]))
    if "after" in filters:
        where.append(T.c.id > filters["after"])
    if "text" in filters:
        where.append(T.c.path.contains(filters["text"], autoescape=True))
    return where


def _entry(row: Mapping[Any, Any]) -> AuditEntry:
    """Return a row's entry with its time in UTC; SQLite returns times without a zone."""
    members = dict(row)
    if members["time"].tzinfo is None:
        members["time"] = members["time"].replace(tzinfo=UTC)
    else:
        members["time"] = members["time"].astimezone(UTC)
    return AuditEntry(**members)
