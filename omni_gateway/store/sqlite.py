"""SQLite: files with access for their owner only, and deadlines of statements."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omni_gateway.store.deadline import remaining

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)

FILE_MODE = 0o600
FOLDER_MODE = 0o700
#: Suffixes of a database's files; SQLite creates them with the database's own mode.
BESIDE = ("", "-wal", "-shm", "-journal")
#: Instructions of SQLite's virtual machine between two checks of the deadline: some tenths of a millisecond.
STEPS = 20_000


def file_of(url: str) -> Path | None:
    """Return the file of a SQLite database by its SQLAlchemy URL; None for one in memory, and for other databases."""
    from sqlalchemy import make_url

    if url.partition("://")[0].partition("+")[0] != "sqlite":
        return None
    name = make_url(url).database
    return None if name in (None, "", ":memory:") else Path(str(name)).absolute()


def bound(engine: Engine, file: Path | None, seconds: float) -> None:
    """Create the database's file with mode 0600, and give an engine's connections deadlines.

    :param file: that of :func:`file_of`.
    """
    from sqlalchemy import event

    if file is not None:
        _detect_replacement(engine, file)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, record: Any) -> None:
        connection.set_progress_handler(lambda: int(remaining(seconds) <= 0), STEPS)
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_milliseconds(remaining(seconds))}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()

    @event.listens_for(engine, "handle_error")
    def _reconnect(context: Any) -> None:
        # What a connection takes for damage may be its view of a WAL that is gone: the next call opens the file anew.
        code = getattr(context.original_exception, "sqlite_errorcode", 0)
        if code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR):
            context.is_disconnect = True


def _detect_replacement(engine: Engine, database: Path) -> None:
    """Create the file once, and disconnect when it is removed or replaced later.

    Otherwise open connections would go on with the removed file, and new ones would create an empty database.
    """
    from sqlalchemy import event, exc

    protect(database)
    place = f"{database.resolve().as_uri()}?mode=rw"

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        connection = sqlite3.connect(place, **{**options, "uri": True, "timeout": max(0.001, remaining(1.0))})
        record.info["file"] = _identity(database)
        return connection

    @event.listens_for(engine, "checkout")
    def _look(connection: Any, record: Any, proxy: Any) -> None:
        if record.info.get("file") != _identity(database):
            raise exc.DisconnectionError("the file is another one, or gone")


def _identity(database: Path) -> tuple[int, int] | None:
    try:
        found = database.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def begin(connection: Connection, seconds: float) -> None:
    """Bound the wait for locks by the call's deadline."""
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout={_milliseconds(remaining(seconds))}").close()


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))


def protect(database: Path) -> None:
    """Create a database file and its directory with access for their owner only; restrict existing files as well.

    An existing directory is not changed, for it may have other files; see :func:`protect_folder`.
    """
    database.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    # A file that is there is not opened: closing it again would end the locks that connections of this process hold
    # (POSIX), and another process would take the WAL away.
    if not database.is_file():
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    elif not os.access(database, os.R_OK | os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(database))
    give_to_owner_of_folder(database)
    for suffix in BESIDE:
        _restrict(database.with_name(database.name + suffix), FILE_MODE)


def give_to_owner_of_folder(file: Path) -> None:
    """Give a file of root's to the owner of its folder: root runs commands on the state of a gateway of another user.

    Nothing for other users and other files. SQLite does the same with the files that it makes beside a database.
    """
    if os.geteuid() != 0:
        return
    with suppress(OSError):  # root without the capability: the file is as usable as before
        folder = file.parent.stat()
        if file.stat().st_uid == 0 != folder.st_uid:
            os.chown(file, folder.st_uid, folder.st_gid)


def protect_folder(folder: Path) -> None:
    """Create the state directory with access for its owner only, or restrict an existing one.

    Not the working directory, a home, or a shared (sticky) directory: the files in it are protected by themselves.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    if folder.resolve() in (Path.cwd(), _home(), Path("/")) or folder.stat().st_mode & stat.S_ISVTX:
        return
    _restrict(folder, FOLDER_MODE)


def _home() -> Path | None:
    """Return the home of this process's user; a container's user may be a number without an entry and without HOME."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _restrict(path: Path, mode: int) -> None:
    try:
        now = path.stat()
        if now.st_uid == os.geteuid() and stat.S_IMODE(now.st_mode) & ~mode:
            path.chmod(stat.S_IMODE(now.st_mode) & mode)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("%s can be read by others, and that could not be changed: %s", path, error.strerror)
