"""The errors of calls to the store, and their mapping from the databases' errors."""

from __future__ import annotations

import errno
import sqlite3
from dataclasses import dataclass

RETRY_SECONDS = 5.0


class StoreUnavailable(Exception):
    """The store cannot be used now. The text is for callers: it contains no address, no user and no file name.

    After a failed write, the write was most likely not made; if the connection was lost during the commit, it may have
    been.
    """

    def __init__(self, reason: str, retry_after: float = RETRY_SECONDS) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class StoreRefused(ValueError):
    """A value that cannot be stored: a NUL character, a lone surrogate, a text or number that is too large."""


class StoreMisconfigured(ValueError):
    """The store's URL cannot be used at all; waiting does not help."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure of the database, with a text for callers; ``lasting``: it does not pass by waiting."""

    reason: str
    lasting: bool = False


TIMEOUT = Failure("The store does not answer in time.")
UNREACHABLE = Failure("The store cannot be reached.")
LOCKED = Failure("The store is locked by another process.")
FULL = Failure("The store's disk is full.")
CORRUPT = Failure("The store's database is damaged.", lasting=True)
READ_ONLY = Failure("The store cannot be written.")
DENIED = Failure("The store refuses the gateway's user.")
NO_TABLES = Failure("The store does not have the gateway's tables.")
NEW_OPENING = Failure("The store is being opened.")
BROKEN = Failure("The store answers with an error.")

#: The primary result codes of SQLite (https://www.sqlite.org/rescode.html) without those of wrong statements.
_SQLITE = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_CORRUPT: CORRUPT,
    sqlite3.SQLITE_NOTADB: CORRUPT,
    sqlite3.SQLITE_CANTOPEN: UNREACHABLE,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: DENIED,
    sqlite3.SQLITE_AUTH: DENIED,
    sqlite3.SQLITE_INTERRUPT: TIMEOUT,
    sqlite3.SQLITE_IOERR: BROKEN,
    sqlite3.SQLITE_NOMEM: BROKEN,
    sqlite3.SQLITE_PROTOCOL: LOCKED,
}
#: SQLSTATEs and classes of PostgreSQL (its manual, appendix A); the longest prefix counts.
_SQLSTATES = {
    "08": UNREACHABLE,
    "25006": READ_ONLY,
    "28": DENIED,
    "3D": UNREACHABLE,
    "3F": NO_TABLES,
    "40": BROKEN,
    "42501": DENIED,
    "42P01": NO_TABLES,
    "42703": NO_TABLES,
    "53100": FULL,
    "53": BROKEN,
    "54": BROKEN,
    "55P03": LOCKED,
    "57014": TIMEOUT,
    "57": UNREACHABLE,
    "58": BROKEN,
    "F0": BROKEN,
    "XX001": CORRUPT,
    "XX002": CORRUPT,
    "XX": BROKEN,
}


def failure_of(error: BaseException) -> Failure | None:
    """Return the failure of the database that an error means; None if the database has not failed."""
    from sqlalchemy import exc

    if isinstance(error, exc.TimeoutError):  # of the pool: all connections are waiting for the database
        return TIMEOUT
    if isinstance(error, OSError):
        return {errno.ENOSPC: FULL, errno.EACCES: DENIED, errno.EPERM: DENIED, errno.EROFS: READ_ONLY}.get(
            error.errno or 0, UNREACHABLE
        )
    if not isinstance(error, exc.DBAPIError) or isinstance(error, (exc.IntegrityError, exc.DataError)):
        return None
    origin = error.orig
    if isinstance(origin, sqlite3.Error):
        return _of_sqlite(origin)
    state: str | None = getattr(origin, "sqlstate", None)
    if state:
        known = next((_SQLSTATES[state[:length]] for length in (5, 2) if state[:length] in _SQLSTATES), None)
        return known or (None if isinstance(error, exc.ProgrammingError) else BROKEN)
    if type(origin).__name__ in ("ConnectionTimeout", "DeadlineExceeded"):
        return TIMEOUT
    return UNREACHABLE if isinstance(error, (exc.OperationalError, exc.InterfaceError)) else None


def _of_sqlite(error: sqlite3.Error) -> Failure | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    if code == sqlite3.SQLITE_ERROR:  # one code for missing tables and for wrong statements
        return NO_TABLES if str(error).startswith("no such table") else None
    return _SQLITE.get(code & 0xFF)


def refusal_of(error: BaseException) -> StoreRefused | None:
    """Return the error to raise for a value that the database cannot store; None for any other error."""
    from sqlalchemy import exc

    if isinstance(error, (exc.DataError, UnicodeEncodeError, OverflowError)):
        return StoreRefused("A value has characters that cannot be stored, or is too large.")
    return None


def summary(error: BaseException) -> str:
    """Return a driver's message on one line, for the log: without the statement and its parameters."""
    origin = getattr(error, "orig", None) or error
    words = " ".join(str(origin).split())
    return f"{type(origin).__name__}: {words[:300]}" if words else type(origin).__name__
