"""The engine with a time limit on every call, opened on first use and once per process."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from omni_gateway.store import deadline
from omni_gateway.store.circuit import Circuit
from omni_gateway.store.errors import (
    CORRUPT,
    NEW_OPENING,
    Failure,
    StoreMisconfigured,
    StoreUnavailable,
    failure_of,
    refusal_of,
    summary,
)
from omni_gateway.store.migrating import HEAD, migrate, present

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)

#: Steps over large tables may take longer than a call.
MIGRATION_SECONDS = 600.0
#: How long a call waits for them. To connect, before them, takes no longer than a call may.
OPENING_SECONDS = 15.0
#: Of a call at the end of its request's time: what has been done has to be kept.
LEAST_SECONDS = 0.9
POOL_SIZE = 5
#: A thread of the worker each, and some for the threads behind them.
MOST_CONNECTIONS = 40


class Database:
    """What the stores use: ``connect()`` to read and ``begin()`` to write, as an engine has them.

    Both raise StoreUnavailable, within ``seconds`` or the shorter time that a call gives, whatever the database does;
    StoreRefused for values that it cannot hold; SQLAlchemy's IntegrityError as it is.
    """

    def __init__(
        self,
        url: str,
        seconds: float,
        *,
        before: Callable[[], None] = lambda: None,
        after: Callable[[Engine], None] = lambda engine: None,
        left: Callable[[float], float] = lambda seconds: seconds,
    ) -> None:
        """``before`` is called when the database is opened, ``after`` when it has its tables; in each process.

        ``left`` returns how much of a call's time the request in flight has left.
        """
        self._url = url
        self._seconds = seconds
        self._before = before
        self._after = after
        self._left = left
        self._lock = Lock()
        self._engine: Engine | None = None
        self._opening: _Opening | None = None
        self._start()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._opening = None
        self.reads = Circuit("read")
        self.quick_reads = Circuit("read quickly")
        self.writes = Circuit("written")

    def connect(self, seconds: float | None = None, *, force: bool = False) -> AbstractContextManager[Connection]:
        """Return a connection to read by.

        ``seconds``: the call's own deadline; that a quick read is late says nothing of others. ``force``: try even
        while calls time out.
        """
        seconds = self._time(seconds)
        kind = "quick_reads" if seconds < self._seconds else "reads"
        return self._bounded(kind, lambda engine: engine.connect(), seconds, force)

    def begin(self, seconds: float | None = None, *, force: bool = False) -> AbstractContextManager[Connection]:
        """Return a connection within a transaction, which is committed at the end."""
        return self._bounded("writes", lambda engine: engine.begin(), self._time(seconds), force)

    def _time(self, seconds: float | None) -> float:
        """Return a call's deadline: within the request's, but for a moment to keep what has been done."""
        most = self._seconds if seconds is None else seconds
        return min(most, max(LEAST_SECONDS, self._left(most)))

    def engine(self) -> Engine:
        """Return this process's engine, opened; a connection that crossed a fork would be shared with the parent."""
        self._after_fork()
        if self._engine is not None:
            return self._engine
        with self._lock:
            if self._engine is not None:
                return self._engine
            opening = self._opening
            if opening is None or opening.ended.is_set():
                opening = self._opening = _Opening(self._open)
                opening.start()
        engine = opening.result(max(LEAST_SECONDS, self._left(max(self._seconds, OPENING_SECONDS))))
        with self._lock:
            self._engine = engine
        return engine

    def close(self) -> None:
        """Close the connections; the next use opens others."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine = self._opening = None

    def _after_fork(self) -> None:
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                if self._engine is not None:
                    self._engine.dispose(close=False)  # the parent still uses what it opened
                self._engine = None
                self._start()

    @contextmanager
    def _bounded(
        self,
        kind: str,
        opened: Callable[[Engine], AbstractContextManager[Connection]],
        seconds: float,
        force: bool,
    ) -> Iterator[Connection]:
        self._after_fork()
        circuit: Circuit = getattr(self, kind)
        if kind == "quick_reads":
            self.reads.refuse_if_open()
        trying = not force and circuit.admit()
        started = time.monotonic()
        known = False
        try:
            engine = self.engine()
            with deadline.within(seconds):
                with opened(engine) as connection:
                    if connection.dialect.name == "sqlite":
                        from omni_gateway.store import sqlite

                        sqlite.begin(connection, self._seconds)
                    yield connection
                known = True
                circuit.succeeded()
        except _OpeningFailed as error:
            known = True
            circuit.failed(error.failure, time.monotonic() - started, error.message, trying=trying)
            raise StoreUnavailable(error.failure.reason) from error
        except Exception as error:
            if refused := refusal_of(error):
                raise refused from error
            failure = failure_of(error)
            if failure is None:
                raise  # of the caller's block, or a conflict: the database has answered
            known = True
            circuit.failed(failure, time.monotonic() - started, summary(error), trying=trying)
            raise StoreUnavailable(failure.reason) from error
        finally:
            if not known:
                circuit.abandoned(trying=trying)

    def _open(self) -> Engine:
        """Connect, and bring the tables up to date."""
        with deadline.within(self._seconds):
            self._before()
            engine = make_engine(self._url, self._seconds)
            step = present(engine)
        if step != HEAD:
            with deadline.within(MIGRATION_SECONDS):
                migrate(engine)
        with deadline.within(self._seconds):
            self._after(engine)
        return engine


class _OpeningFailed(Exception):
    """The database could not be opened, or not yet."""

    def __init__(self, failure: Failure, message: str) -> None:
        super().__init__(failure.reason)
        self.failure = failure
        self.message = message


class _Opening(Thread):
    """Opens the database once for all who wait: each waits no longer than its call may take, migrations may go on."""

    def __init__(self, work: Callable[[], Engine]) -> None:
        super().__init__(name="store-opening", daemon=True)
        self.ended = Event()
        self._work = work
        self._engine: Engine | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._engine = self._work()
        except Exception as error:  # raised where it is waited for
            self._error = error
        finally:
            self.ended.set()

    def result(self, seconds: float) -> Engine:
        """Wait for the engine; _OpeningFailed when it does not come in time or cannot be opened."""
        if not self.ended.wait(seconds):
            raise _OpeningFailed(NEW_OPENING, "it is not open yet")
        if self._engine is not None:
            return self._engine
        assert self._error is not None
        failure = failure_of(self._error)
        if failure is None:
            raise self._error
        raise _OpeningFailed(failure, summary(self._error))


def make_engine(url: str, seconds: float) -> Engine:
    """Return an engine with its bounds, connected to nothing yet.

    :raises StoreMisconfigured: the URL is none, names another database than SQLite or PostgreSQL, or a driver is
        missing.
    :raises OSError: the SQLite file cannot be made.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    sizes = {"pool_size": POOL_SIZE, "max_overflow": MOST_CONNECTIONS - POOL_SIZE, "pool_timeout": seconds}
    try:
        if url.partition("://")[0] in ("sqlite", "sqlite+pysqlite"):
            pool = {} if _in_memory(url) else sizes
            engine = create_engine(url, **pool)
        else:
            engine = create_engine(url, pool_pre_ping=True, pool_use_lifo=True, **sizes)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        raise StoreMisconfigured(f"it cannot be used: {' '.join(str(error).split())[:200]}") from None
    if engine.dialect.name == "sqlite":
        from omni_gateway.store import sqlite

        sqlite.bound(engine, seconds)
    elif (engine.dialect.name, engine.dialect.driver) == ("postgresql", "psycopg"):
        from omni_gateway.store import postgresql

        postgresql.bound(engine, seconds)
    else:
        raise StoreMisconfigured("it must begin with sqlite:// or postgresql+psycopg://")
    return engine


def _in_memory(url: str) -> bool:
    from sqlalchemy import make_url

    return make_url(url).database in (None, "", ":memory:")


def lasting(error: StoreUnavailable) -> bool:
    """Whether waiting for the store is of no use."""
    return error.reason == CORRUPT.reason
