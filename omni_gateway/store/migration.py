"""Migration of a database to the tables of this release."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)

#: The last step of ``migrations/versions``; a test compares the two.
HEAD = "0006"
ATTEMPTS = 10
#: Of PostgreSQL's advisory lock, which makes replicas that start at once migrate one after the other; an arbitrary id.
LOCK = 0x6F6D6E69
#: The beginnings of statements that change nothing.
_READS = ("SELECT", "PRAGMA", "SET LOCAL")

#: Alembic's context is global to the process, so two stores in one process migrate one after the other.
_ONE_AT_A_TIME = Lock()


class _Overtaken(Exception):
    """Another process has run the migration meanwhile."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of some tables: the last one's id, the table with the id of the last one that was run, their folder."""

    head: str
    version_table: str
    folder: Path


#: Of the gateway's own tables.
OWN = Steps(HEAD, "alembic_version", Path(__file__).parent / "migrations" / "versions")


def migrate(engine: Engine, steps: Steps = OWN) -> None:
    """Run the missing migrations; retry if another process runs them at the same time.

    A database of a newer release is not changed: migrations only add what older releases do not need, so that their
    workers may restart while the newer release is being rolled out. Alembic is imported only if there is something to
    do, to save a worker's memory.
    """
    from sqlalchemy.exc import DBAPIError

    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _ONE_AT_A_TIME:
                step = present(engine, steps)
                if step is not None and step > steps.head:
                    log.warning(
                        "the database is of a newer release (%s: step %s; this one has %s)",
                        steps.version_table,
                        step,
                        steps.head,
                    )
                elif step != steps.head:
                    _upgrade(engine, steps)
        except (DBAPIError, _Overtaken):
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.05 * attempt)
        else:
            return


def present(engine: Engine, steps: Steps = OWN) -> str | None:
    """Return the id of a database's last migration; None without any."""
    from sqlalchemy import column, inspect, select, table

    if not inspect(engine).has_table(steps.version_table):
        return None
    with engine.connect() as connection:
        return connection.execute(select(column("version_num")).select_from(table(steps.version_table))).scalar()


def missing(engine: Engine | None, steps: Steps = OWN) -> Sequence[tuple[str, str]]:
    """Return the migrations that a database lacks, in their order: each one's id and what it is for.

    Without an engine, those of a new database.
    """
    from alembic.script import ScriptDirectory

    step = None if engine is None else present(engine, steps)
    if step is not None and step >= steps.head:
        return []
    revisions = ScriptDirectory.from_config(_config(steps)).iterate_revisions(steps.head, step or "base")
    return [(each.revision, str(each.doc or "").partition("\n")[0]) for each in reversed(list(revisions))]


def try_missing(engine: Engine, steps: Steps = OWN) -> Sequence[str]:
    """Run the missing migrations in a transaction that is rolled back; return the statements that change something.

    Both databases roll changes of tables back. Writers wait meanwhile, so this takes as long as the migration.
    """
    from sqlalchemy import event

    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
        if not statement.lstrip().upper().startswith(_READS):
            statements.append(" ".join(statement.split()))

    with _ONE_AT_A_TIME, engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # its driver would begin at the first changed row only
        event.listen(connection, "before_cursor_execute", note)
        try:
            _run(connection, steps)
        finally:
            connection.rollback()
    return statements


def _config(steps: Steps) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "omni_gateway.store:migrations")  # its env.py serves all steps
    config.set_main_option("version_locations", str(steps.folder).replace("%", "%%"))
    for option in ("path_separator", "version_path_separator"):  # the second is of Alembic before 1.16
        config.set_main_option(option, "newline")
    config.attributes["version_table"] = steps.version_table
    return config


def _upgrade(engine: Engine, steps: Steps) -> None:
    from alembic.util import CommandError

    with engine.begin() as connection:
        try:
            _run(connection, steps)
        except CommandError as error:
            raise _Overtaken from error


def _run(connection: Connection, steps: Steps) -> None:
    from alembic import command
    from sqlalchemy import text

    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # the caller's deadline counts
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = _config(steps)
    config.attributes["connection"] = connection
    command.upgrade(config, steps.head)
