"""The back end: a table in an SQL database that all workers and replicas of the gateway share.

Several processes, each of several threads, write at the same moment. The database keeps them apart: an id is a primary
key, so it is made once; a replace and a delete name the version that was read, so no change of another one is lost.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from omni_gateway.sdk import Listing, ListQuery, NotFound, Problem, Resource, ResourceAdapter
from omni_gateway.sdk.adapters import StaleVersion, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

TABLE = sa.Table(
    "racks",
    sa.MetaData(),
    sa.Column("id", sa.String(1024), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("annotations", sa.JSON, nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("updated", sa.String(32), nullable=False),
)


class RackAdapter(ResourceAdapter):
    """Keeps objects in the database that `OMNI_GATEWAY_RACKS_DATABASE` names."""

    type = "omni-gateway-plugin-racks/racks"
    namespace = "gateway"
    sortable = frozenset(["room", "units"])

    def list(self, query: ListQuery) -> Listing:
        """Return the page of objects that match a query; they are selected here, which is right for some thousands."""
        with self._database().connect() as connection:
            rows = connection.execute(sa.select(TABLE)).mappings().all()
        return select([self._resource(row) for row in rows], query, self.sortable)

    def get(self, id: str) -> Resource:
        """Return one object. Raises NotFound if there is none."""
        with self._database().connect() as connection:
            row = connection.execute(sa.select(TABLE).where(TABLE.c.id == id)).mappings().first()
        if row is None:
            raise NotFound(id)
        return self._resource(row)

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        """Create an object. Raises a 409 problem if its id is taken."""
        row = {"id": resource.id, "version": 1, "created": _now(), **_members(resource)}
        try:
            with self._database().begin() as connection:
                connection.execute(sa.insert(TABLE).values(row))
        except IntegrityError as error:
            raise Problem(409, "exists", f"Object {resource.id!r} exists already.") from error

    def replace(self, resource: Resource) -> None:
        """Write over the version that was read. Raises StaleVersion if there is another one by now."""
        row = {"version": resource.version + 1, **_members(resource)}
        with self._database().begin() as connection:
            written = connection.execute(sa.update(TABLE).where(_as_read(resource)).values(row))
        if written.rowcount != 1:
            raise StaleVersion(resource.id)

    def delete(self, resource: Resource) -> None:
        """Remove the version that was read. Raises StaleVersion if there is another one by now."""
        with self._database().begin() as connection:
            removed = connection.execute(sa.delete(TABLE).where(_as_read(resource)))
        if removed.rowcount != 1:
            raise StaleVersion(resource.id)

    def _database(self) -> sa.Engine:
        """Return the database. The first request of a process opens it: one that is opened before the fork breaks."""
        state = os.environ.get("OMNI_GATEWAY_STATE_DIR") or ".omni-gateway"
        return _engine(self.settings.database or f"sqlite:///{state}/racks.sqlite")

    def _resource(self, row: sa.RowMapping) -> Resource:
        return Resource(
            row["id"],
            row["spec"],
            row["labels"],
            row["annotations"],
            namespace=self.namespace,
            type=self.type,
            version=row["version"],
            created=row["created"],
            updated=row["updated"],
        )


@cache
def _engine(url: str) -> sa.Engine:
    place = sa.make_url(url)
    if place.get_backend_name() == "sqlite" and place.database:
        Path(place.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(place, pool_pre_ping=True)
    with engine.begin() as connection:
        connection.execute(CreateTable(TABLE, if_not_exists=True))  # other workers may be here at the same moment
    return engine


def _as_read(resource: Resource) -> sa.ColumnElement[bool]:
    """Select the row of an object as it was read; one that was removed and made again has another time of creation."""
    of_id = (TABLE.c.id == resource.id) & (TABLE.c.version == resource.version)
    return of_id & (TABLE.c.created == resource.created)


def _members(resource: Resource) -> dict[str, Any]:
    """Return the columns that every write sets."""
    return {
        "spec": dict(resource.spec),
        "labels": dict(resource.labels),
        "annotations": dict(resource.annotations),
        "updated": _now(),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
