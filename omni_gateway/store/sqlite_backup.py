"""Backup of a SQLite database while it is written to, and its restore."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from omni_gateway.store.migration import OWN
from omni_gateway.store.sqlite import BESIDE, FILE_MODE, give_to_owner_of_folder


class BackupError(Exception):
    """A backup cannot be made or restored; the text says why."""


def backup(database: Path, target: Path) -> str:
    """Copy a database as it is at one moment to a new file, with access for its owner only; return its migration.

    Others may read and write the database meanwhile. The target appears when the copy is complete and checked.

    :raises BackupError: there is no such database, the target exists, or one of them cannot be used.
    """
    if target.exists():
        raise BackupError(f"there is a file {str(target)!r} already")
    step = _step_of(database)
    part = target.with_name(f".{target.name}.part")
    try:
        _copy(database, part)
        part.rename(target)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{str(target)!r} cannot be written: {_reason(error)}") from error
    finally:
        part.unlink(missing_ok=True)
    return step


def restore(source: Path, database: Path) -> Path | None:
    """Put a backup in the place of a database that nothing uses; return where the replaced one was moved to.

    None if there was none. :raises BackupError: the source is no intact backup, or of a newer release.
    """
    step = _step_of(source)
    if step > OWN.head:
        raise BackupError(
            f"{str(source)!r} is of a newer release (its tables have step {step}, those of this one {OWN.head})"
        )
    part = database.with_name(f".{database.name}.part")
    try:
        database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _copy(source, part)
        give_to_owner_of_folder(part)
        aside = _move_aside(database)
        part.replace(database)
        _sync(database.parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{str(database)!r} cannot be written: {_reason(error)}") from error
    finally:
        part.unlink(missing_ok=True)
    return aside


def _copy(source: Path, target: Path) -> None:
    """Copy a database into one file that needs no other beside it; check the copy, and write it to the disk."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    with closing(_reader(source)) as origin, closing(sqlite3.connect(target)) as copy:
        origin.backup(copy)  # all pages in one step: one read transaction, which a writer does not start anew
        copy.execute("PRAGMA journal_mode=DELETE")
        [[found]] = copy.execute("PRAGMA quick_check(1)").fetchall()
        if found != "ok":
            raise sqlite3.DatabaseError(f"the copy is damaged: {found}")
    _sync(target)


def _step_of(database: Path) -> str:
    """Return the last migration of a gateway's database. Raises :class:`BackupError` if it is none."""
    if not database.is_file():
        raise BackupError(f"there is no file {str(database)!r}")
    try:
        with closing(_reader(database)) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version, (SELECT count(*) FROM tokens)")
            [[step]] = rows.fetchall()
    except (sqlite3.Error, ValueError) as error:
        raise BackupError(f"{str(database)!r} is no database of a gateway: {_reason(error)}") from error
    return str(step)


def _reader(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)


def _move_aside(database: Path) -> Path | None:
    """Rename a database with all of its files; return its new name, None if there is none."""
    if not database.exists():
        return None
    aside = database.with_name(f"{database.name}.before-restore-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    if aside.exists():
        raise BackupError(f"there is a file {str(aside)!r} already; try again")
    for suffix in reversed(BESIDE):  # the database itself last: without it the others are of no use
        with suppress(FileNotFoundError):
            database.with_name(database.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
