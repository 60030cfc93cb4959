"""Documents of plugins: JSON with a version that every write increments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from omni_gateway.store.text import require_storable, storable

if TYPE_CHECKING:
    from omni_gateway.store.database import Database


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


class DocumentStore:
    """Create, read, replace and delete documents; ids are unique within a collection."""

    def __init__(self, engine: Callable[[], Database]) -> None:
        self._engine = engine

    def list(self, collection: str, seconds: float | None = None) -> list[Document]:
        """Return all documents of a collection, by id; ``seconds``: a deadline shorter than a call's usual one."""
        from sqlalchemy import select

        from omni_gateway.store.tables import DOCUMENTS as T

        query = select(T).where(T.c.collection == collection).order_by(T.c.id)
        with self._engine().connect(seconds) as connection:
            return [_document(row) for row in connection.execute(query).mappings()]

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
        self, collection: str, id: str, spec: Mapping[str, Any], labels: Mapping[str, str], notes: Mapping[str, str]
    ) -> bool:
        """Create a document; return False if there is one with this id."""
        from sqlalchemy import insert
        from sqlalchemy.exc import IntegrityError

        from omni_gateway.store.tables import DOCUMENTS as T

        require_storable(id=id, spec=spec, labels=labels, annotations=notes)
        now = datetime.now(UTC)
        row = insert(T).values(
            collection=collection,
            id=id,
            spec=dict(spec),
            labels=dict(labels),
            annotations=dict(notes),
            version=1,
            created=now,
            updated=now,
        )
        try:
            with self._engine().begin() as connection:
                connection.execute(row)
        except IntegrityError:
            return False
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


def _document(row: Any) -> Document:
    """Return a row's document with its times in UTC; SQLite returns times without a zone."""
    created, updated = (
        value.replace(tzinfo=UTC) if value.tzinfo is None else value for value in (row["created"], row["updated"])
    )
    return Document(row["id"], row["spec"], row["labels"], row["annotations"], row["version"], created, updated)
