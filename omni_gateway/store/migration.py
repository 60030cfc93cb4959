"""Migration of a database to the tables of this release."""

from __future__ import annotations

import logging
import time
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

log = logging.getLogger(__name__)

#: The last step of ``migrations/versions``; a test compares the two.
HEAD = "0006"
ATTEMPTS = 10
#: Of PostgreSQL's advisory lock, which makes replicas that start at once migrate one after the other; an arbitrary id.
LOCK = 0x6F6D6E69


#: Alembic's context is global to the process, so two stores in one process migrate one after the other.
_ONE_AT_A_TIME = Lock()


class _Overtaken(Exception):
    """Another process has run the migration meanwhile."""


def migrate(engine: Engine) -> None:
    """Run the missing migrations; retry if another process runs them at the same time.

    A database of a newer release is not changed: migrations only add what older releases do not need, so that their
    workers may restart while the newer release is being rolled out. Alembic is imported only if there is something to
    do, to save a worker's memory.
    """
    from sqlalchemy.exc import DBAPIError

    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _ONE_AT_A_TIME:
                step = present(engine)
                if step is not None and step > HEAD:
                    log.warning("the database is of a newer release (step %s; this one has %s)", step, HEAD)
                elif step != HEAD:
                    _upgrade(engine)
        except (DBAPIError, _Overtaken):
            if attempt == ATTEMPTS:
                raise
            time.sleep(0.05 * attempt)
        else:
            return


def present(engine: Engine) -> str | None:
    """Return the id of a database's last migration; None without any."""
    from sqlalchemy import inspect, text

    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy import text

    config = Config()
    config.set_main_option("script_location", "omni_gateway.store:migrations")
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # the caller's deadline counts
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, HEAD)
        except CommandError as error:
            raise _Overtaken from error
