"""Documents of plugins: JSON with a version that every write increments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from omni_gateway.store.text import require_storable, storable

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from omni_gateway.store.database import Database

#: Most ids of one query; databases bound the parameters of a statement.
_MOST_IDS = 500


class CollectionFull(Exception):
    """A collection has as many documents as it may."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a collection; ``version`` starts at 1."""

    id: str
    spec: Mapping[str, Any]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    version: int
    created: datetime
    updated: datetime


#: ``list`` is the name of a method below.
Documents = list[Document]


class DocumentStore:
    """Create, read, replace and delete documents; ids are unique within a collection."""

    def __init__(self, engine: Callable[[], Database]) -> None:
        self._engine = engine

    def list(self, collection: str, seconds: float | None = None) -> Documents:
        """Return all documents of a collection, by id; ``seconds``: a deadline shorter than a call's usual one."""
        from sqlalchemy import select

        from omni_gateway.store.tables import DOCUMENTS as T

        query = select(T).where(T.c.collection == collection).order_by(T.c.id)
        with self._engine().connect(seconds) as connection:
            return [_document(row) for row in connection.execute(query).mappings()]

    def page(
        self,
        collection: str,
        *,
        search: str = "",
        sort: Sequence[tuple[str, bool]] = (),
        offset: int = 0,
        limit: int = 0,
    ) -> tuple[Documents, int]:
        """Return documents, selected, sorted and cut by the database, and how many match in all.

        :param search: a part of the id, in the same case.
        :param sort: (column, descending) pairs: ``id``, ``version``, ``created``, ``updated``; the id is the last key.
        :param limit: how many at most, 0 for all.
        """
        from sqlalchemy import func, select

        from omni_gateway.store.tables import DOCUMENTS as T

        with self._engine().connect() as connection:
            dialect = connection.dialect.name
            which = _matching(dialect, collection, search)
            total: int = connection.execute(select(func.count()).select_from(T).where(which)).scalar_one()
            columns = {**T.c, "id": _by_code_point(dialect, T.c.id)}
            order = [columns[name].desc() if descending else columns[name] for name, descending in sort]
            query = select(T).where(which).order_by(*order, columns["id"]).offset(offset)
            if limit:
                query = query.limit(limit)
            return [_document(row) for row in connection.execute(query).mappings()], total

    def members(
        self, collection: str, columns: Sequence[str], spec: Sequence[str] = (), *, search: str = ""
    ) -> Iterator[tuple[Any, ...]]:
        """Yield a row of each document whose id has ``search`` in it, in no order; reading many whole takes long.

        :param columns: names of columns; times are what the driver returns.
        :param spec: names of members of the spec, after the columns.
        """
        from sqlalchemy import DateTime, String, select, type_coerce

        from omni_gateway.store.tables import DOCUMENTS as T

        plain = [
            type_coerce(T.c[each], String) if isinstance(T.c[each].type, DateTime) else T.c[each] for each in columns
        ]
        with self._engine().connect() as connection:
            query = select(*plain, *(T.c.spec[name] for name in spec))
            rows = connection.execute(query.where(_matching(connection.dialect.name, collection, search))).all()
        return map(tuple, rows)

    def named(self, collection: str, ids: Sequence[str]) -> Iterator[Document]:
        """Yield the documents that have one of ``ids``, in no order."""
        from sqlalchemy import select

        from omni_gateway.store.tables import DOCUMENTS as T

        for start in range(0, len(ids), _MOST_IDS):
            some = T.c.id.in_(ids[start : start + _MOST_IDS])
            with self._engine().connect() as connection:
                rows = connection.execute(select(T).where(T.c.collection == collection, some)).mappings().all()
            yield from map(_document, rows)

    def count(self, collection: str) -> int:
        """Return how many documents a collection has."""
        from sqlalchemy import func, select

        from omni_gateway.store.tables import DOCUMENTS as T

        with self._engine().connect() as connection:
            query = select(func.count()).select_from(T).where(T.c.collection == collection)
            total: int = connection.execute(query).scalar_one()
        return total

    def find(self, collection: str, id: str) -> Document | None:
        """Return one document, or None."""
        from sqlalchemy import select

        from omni_gateway.store.tables import DOCUMENTS as T

        if not storable(id):
            return None
        query = select(T).where(T.c.collection == collection, T.c.id == id)
        with self._engine().connect() as connection:
            row = connection.execute(query).mappings().first()
        return _document(row) if row else None

    def create(
        self,
        collection: str,
        id: str,
        spec: Mapping[str, Any],
        labels: Mapping[str, str],
        notes: Mapping[str, str],
        most: int | None = None,
    ) -> bool:
        """Create a document; return False if there is one with this id.

        :param most: how many the collection may have. Raises :class:`CollectionFull` if it has as many, whoever else
            creates at the same time.
        """
        from sqlalchemy import func, insert, literal, select, text
        from sqlalchemy.exc import IntegrityError

        from omni_gateway.store.tables import DOCUMENTS as T

        require_storable(id=id, spec=spec, labels=labels, annotations=notes)
        now = datetime.now(UTC)
        values = {
            "collection": collection,
            "id": id,
            "spec": dict(spec),
            "labels": dict(labels),
            "annotations": dict(notes),
            "version": 1,
            "created": now,
            "updated": now,
        }
        row = select(*(literal(value, T.c[name].type) for name, value in values.items()))
        if most is not None:
            count = select(func.count()).select_from(T).where(T.c.collection == collection).scalar_subquery()
            row = row.where(count < most)
        try:
            with self._engine().begin() as connection:
                if most is not None and connection.dialect.name == "postgresql":
                    # SQLite has one writer at a time; here two would each not count what the other has not committed.
                    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:collection, 0))")
                    connection.execute(lock, {"collection": collection})
                insertion = insert(T).from_select(list(values), row).execution_options(preserve_rowcount=True)
                made = connection.execute(insertion).rowcount
        except IntegrityError:
            return False
        if not made:
            if self.find(collection, id) is not None:
                return False
            raise CollectionFull(collection)
        return True

    def replace(
        self,
        collection: str,
        id: str,
        version: int,
        spec: Mapping[str, Any],
        labels: Mapping[str, str],
        notes: Mapping[str, str],
    ) -> bool:
        """Replace a document; return False if it does not have the given version (any more)."""
        from sqlalchemy import update

        from omni_gateway.store.tables import DOCUMENTS as T

        require_storable(id=id, spec=spec, labels=labels, annotations=notes)
        which = (T.c.collection == collection) & (T.c.id == id) & (T.c.version == version)
        row = update(T).where(which)
        row = row.values(
            spec=dict(spec),
            labels=dict(labels),
            annotations=dict(notes),
            version=version + 1,
            updated=datetime.now(UTC),
        )
        with self._engine().begin() as connection:
            return bool(connection.execute(row).rowcount)

    def delete(self, collection: str, id: str, version: int) -> bool:
        """Delete a document; return False if it does not have the given version (any more)."""
        from sqlalchemy import delete

        from omni_gateway.store.tables import DOCUMENTS as T

        if not storable(id):
            return False
        which = (T.c.collection == collection) & (T.c.id == id) & (T.c.version == version)
        with self._engine().begin() as connection:
            return bool(connection.execute(delete(T).where(which)).rowcount)


def _matching(dialect: str, collection: str, search: str) -> ColumnElement[bool]:
    from sqlalchemy import func

    from omni_gateway.store.tables import DOCUMENTS as T

    which = T.c.collection == collection
    if not search:
        return which
    # Not LIKE, which SQLite takes in any case of letters.
    position = func.strpos if dialect == "postgresql" else func.instr
    return which & (position(T.c.id, search) > 0)


def _by_code_point(dialect: str, column: ColumnElement[str]) -> ColumnElement[str]:
    """Return a text column in the order that Python has; that of PostgreSQL is the database's language's."""
    return column.collate("C") if dialect == "postgresql" else column


def _document(row: Any) -> Document:
    """Return a row's document with its times in UTC; SQLite returns times without a zone."""
    created, updated = (
        value.replace(tzinfo=UTC) if value.tzinfo is None else value for value in (row["created"], row["updated"])
    )
    return Document(row["id"], row["spec"], row["labels"], row["annotations"], row["version"], created, updated)
