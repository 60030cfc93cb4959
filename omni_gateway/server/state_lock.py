"""The lock of a SQLite database: one server at a time uses a state directory, and a restore has it to itself.

The master of a server holds the lock; its workers share the database because they are its children. Commands that read
or write rows (``omni-gateway token``) need no lock, for SQLite serializes their transactions.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omni_gateway.settings import PREFIX, Settings, SettingsError

log = logging.getLogger(__name__)

#: How long a start waits for the lock: a server that is ending takes a moment.
WAIT_SECONDS = 3.0
#: Set by gunicorn for the process that replaces it (SIGUSR2), which inherits the lock.
_REPLACES = "GUNICORN_PID"

_held: list[int] = []


def hold(settings: Settings) -> None:
    """Lock the store for a server, until this process ends; nothing for PostgreSQL, which servers share.

    A SQLite file that ``STORE_URL`` names is locked too, but servers may share it: only a restore excludes them.

    :raises SettingsError: another server uses the state directory, or a restore is running.
    """
    database = sqlite_file(settings)
    if database is None or _REPLACES in os.environ:
        return
    try:
        descriptor = _locked(database, fcntl.LOCK_SH if settings.store_url else fcntl.LOCK_EX, WAIT_SECONDS)
    except OSError:
        return  # opening the store tells what is wrong
    if descriptor is None:
        what = (
            f"the database {str(database)!r}" if settings.store_url else f"the state directory {str(database.parent)!r}"
        )
        raise SettingsError(
            f"another gateway uses {what}{_holder(database)}. Stop that one, or name another directory with"
            f" {PREFIX}STATE_DIR=PATH; several gateways share a PostgreSQL ({PREFIX}STORE_URL)"
        )
    os.set_inheritable(descriptor, True)  # for the process that replaces this one
    _held.append(descriptor)


@contextmanager
def held_alone(settings: Settings) -> Iterator[None]:
    """Lock the SQLite store for a restore; raises :class:`SettingsError` if a gateway uses it."""
    database = sqlite_file(settings)
    try:
        descriptor = None if database is None else _locked(database, fcntl.LOCK_EX, 0.0)
    except OSError as error:
        raise SettingsError(f"{str(database)!r} cannot be written: {error.strerror}") from error
    if database is not None and descriptor is None:
        raise SettingsError(f"a gateway uses {str(database)!r}{_holder(database)}; stop it first")
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def release_in_worker() -> None:
    """Close what a worker has inherited of the lock: it ends with the master, even if workers still finish requests."""
    while _held:
        os.close(_held.pop())


def sqlite_file(settings: Settings) -> Path | None:
    """Return the file of a SQLite store; None for another database, or one in memory."""
    from omni_gateway.store.sqlite import file_of

    return file_of(settings.database_url)


def _locked(database: Path, kind: int, seconds: float) -> int | None:
    """Return the descriptor of the lock file, locked; None if another process has it for longer than ``seconds``.

    Raises OSError if there can be no such file: then there can be no database either.
    """
    from omni_gateway.store.sqlite import give_to_owner_of_folder

    path = _path(database)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_to_owner_of_folder(path)
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            os.close(descriptor)
            return None
        except OSError as error:  # some network file systems have no locks
            log.warning("%s cannot be locked (%s): make sure that one gateway alone uses it", path, error.strerror)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor


def _holder(database: Path) -> str:
    """Return which process has the lock, as far as its file tells."""
    try:
        pid = _path(database).read_text().strip()
    except OSError:
        pid = ""
    return f" (process {pid})" if pid else ""


def _path(database: Path) -> Path:
    return database.with_name(database.name + ".lock")
