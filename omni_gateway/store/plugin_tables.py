"""Tables of a plugin in the gateway's database, with migrations of their own."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from omni_gateway.store import deadline
from omni_gateway.store.database import MIGRATION_SECONDS, Database
from omni_gateway.store.errors import NO_TABLES, StoreUnavailable, failure_of, summary
from omni_gateway.store.migration import Steps, migrate

if TYPE_CHECKING:
    from sqlalchemy import Connection


class TablesError(Exception):
    """The tables of a plugin cannot be declared or migrated; the text says why."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a plugin: the steps that make them.

    :param migrations: a package (``acme_racks.migrations``) whose modules are Alembic's revisions, in one line. It
        needs no ``env.py`` and no ``alembic.ini``.
    :param head: the revision of the last step. Revisions have the order of their text: ``0001``, ``0002``.
    """

    migrations: str
    head: str

    def folder(self) -> Path:
        """Return the folder of the steps. Raises :class:`TablesError` if it is not there, or has no step ``head``."""
        try:
            spec = importlib.util.find_spec(self.migrations)
        except ModuleNotFoundError:
            spec = None
        if spec is None or not spec.submodule_search_locations:
            raise TablesError(f"there is no package {self.migrations!r} with the steps of its tables")
        folder = Path(next(iter(spec.submodule_search_locations)))
        revision = re.compile(rf"^revision(?:: str)? = ['\"]{re.escape(self.head)}['\"]", flags=re.M)
        if not any(revision.search(file.read_text()) for file in folder.glob("*.py")):
            raise TablesError(f"no module of {self.migrations!r} has the revision {self.head!r}, the last one")
        return folder


class PluginTables:
    """The tables of one plugin in one application; their migrations run at the start, or else on first use."""

    def __init__(self, database: Database, plugin: str, tables: Tables) -> None:
        """Make it, without a connection. Raises :class:`TablesError` where there are no such steps."""
        version_table = f"alembic_version_{re.sub(r'[^a-z0-9]', '_', plugin.lower())}"
        self.steps = Steps(tables.head, version_table, tables.folder())
        self._database = database
        self.plugin = plugin
        self._lock = Lock()
        self._migrated_in: int | None = None

    @contextmanager
    def connect(self, seconds: float | None = None) -> Iterator[Connection]:
        """Return a SQLAlchemy connection for reads, with a deadline.

        Raises :class:`StoreUnavailable` if the database cannot be used, :class:`TablesError` if a migration fails.
        """
        self.migrate()
        with self._database.connect(seconds) as connection, _own_faults():
            yield connection

    @contextmanager
    def begin(self, seconds: float | None = None) -> Iterator[Connection]:
        """Return a SQLAlchemy connection in a transaction, which is committed at the end; raises as :meth:`connect`."""
        self.migrate()
        with self._database.begin(seconds) as connection, _own_faults():
            yield connection

    def migrate(self) -> None:
        """Run the missing migrations, once in each process; raises as :meth:`connect`."""
        if self._migrated_in == os.getpid():
            return
        with self._database.connect():  # opens the database, and raises StoreUnavailable
            engine = self._database.engine()
        with self._lock:
            if self._migrated_in == os.getpid():
                return
            try:
                with deadline.within(MIGRATION_SECONDS):
                    migrate(engine, self.steps)
            except Exception as error:
                failure = failure_of(error)
                if failure is not None and failure is not NO_TABLES:
                    raise StoreUnavailable(failure.reason) from error
                text = f"the tables of the plugin {self.plugin!r} cannot be migrated to {self.steps.head!r}"
                raise TablesError(f"{text}: {type(error).__name__}: {error}") from error
            self._migrated_in = os.getpid()


@contextmanager
def _own_faults() -> Iterator[None]:
    """Keep a plugin's wrong statement from counting as a failure of the store, which would stop its use by all."""
    try:
        yield
    except Exception as error:
        if failure_of(error) is NO_TABLES:
            raise TablesError(summary(error)) from error
        raise
