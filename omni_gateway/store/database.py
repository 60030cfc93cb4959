"""The engine with a time limit on every call, opened on first use and once per process."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from omni_gateway import tracing
from omni_gateway.store import deadline, sqlite
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
from omni_gateway.store.migration import HEAD, migrate, present

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

log = logging.getLogger(__name__)

#: Migrations of large tables may take longer than a call.
MIGRATION_SECONDS = 600.0
#: How long a call waits for migrations. Connecting, before them, takes no longer than a call may.
OPENING_SECONDS = 15.0
#: Minimum of a call at the end of its request's time, to record what the request has done.
LEAST_SECONDS = 0.9
#: The names of spans.
_OPERATIONS = {"reads": "read", "quick_reads": "read", "writes": "write"}
POOL_SIZE = 5
#: One for each thread of the worker, and some for background threads.
MOST_CONNECTIONS = 40


class Database:
    """An engine with deadlines and circuits: ``connect()`` for reads and ``begin()`` for writes.

    Both raise StoreUnavailable within ``seconds``, or the call's own shorter time, even if the database hangs;
    StoreRefused for values that it cannot store; SQLAlchemy's IntegrityError unchanged.
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
        """``before`` is called before the database is opened, ``after`` when its tables exist; in each process.

        ``left`` bounds a call's seconds by what the current request has left.
        """
        self._url = url
        self._span_attributes = {"db.system.name": url.partition(":")[0].partition("+")[0]}
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
        """Return a connection for reads.

        ``seconds``: the call's own deadline; shorter ones have a circuit of their own, for their timeout does not mean
        that other reads would time out. ``force``: try even while the circuit is open.
        """
        seconds = self._time(seconds)
        kind = "quick_reads" if seconds < self._seconds else "reads"
        return self._bounded(kind, lambda engine: engine.connect(), seconds, force)

    def begin(self, seconds: float | None = None, *, force: bool = False) -> AbstractContextManager[Connection]:
        """Return a connection in a transaction, which is committed at the end of the block."""
        return self._bounded("writes", lambda engine: engine.begin(), self._time(seconds), force)

    def _time(self, seconds: float | None) -> float:
        """Return a call's seconds: bounded by the request's, but at least ``LEAST_SECONDS``."""
        most = self._seconds if seconds is None else seconds
        return min(most, max(LEAST_SECONDS, self._left(most)))

    def engine(self) -> Engine:
        """Return this process's engine, opened if necessary; engines are not shared across a fork."""
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

    @property
    def connections(self) -> tuple[int, int]:
        """Return how many connections this process has in use, and how many are idle; opens none."""
        engine = self._engine if self._pid == os.getpid() else None
        pool: Any = None if engine is None else engine.pool
        # The pools of databases in memory do not count.
        return (pool.checkedout(), pool.checkedin()) if hasattr(pool, "checkedout") else (0, 0)

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
                    self._engine.dispose(close=False)  # the parent still uses its connections
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
        span = tracing.begin_call(f"store {_OPERATIONS[kind]}", self._span_attributes)
        error_type = ""
        try:
            engine = self.engine()
            with deadline.within(seconds):
                with opened(engine) as connection:
                    if connection.dialect.name == "sqlite":
                        sqlite.begin(connection, self._seconds)
                    yield connection
                known = True
                circuit.succeeded()
        except _OpeningFailed as error:
            known = True
            error_type = "unavailable"
            circuit.failed(error.failure, time.monotonic() - started, error.message, trying=trying)
            raise StoreUnavailable(error.failure.reason) from error
        except Exception as error:
            error_type = type(error).__qualname__
            if refused := refusal_of(error):
                raise refused from error
            failure = failure_of(error)
            if failure is None:
                raise  # an error of the caller's block, or a conflict: not a failure of the database
            known = True
            circuit.failed(failure, time.monotonic() - started, summary(error), trying=trying)
            raise StoreUnavailable(failure.reason) from error
        finally:
            span.end(error_type)
            if not known:
                circuit.abandoned(trying=trying)

    def _open(self) -> Engine:
        """Connect, and run the missing migrations."""
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
    """Opens the database once for all waiting calls; each waits for its own time only, while migrations go on."""

    def __init__(self, work: Callable[[], Engine]) -> None:
        super().__init__(name="store-opening", daemon=True)
        self.ended = Event()
        self._work = work
        self._engine: Engine | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._engine = self._work()
        except Exception as error:  # raised by `result`, in the waiting thread
            self._error = error
        finally:
            self.ended.set()

    def result(self, seconds: float) -> Engine:
        """Wait for the engine; raise _OpeningFailed if it is not open in time, or cannot be opened."""
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
    """Return an engine with deadlines, not connected yet.

    :raises StoreMisconfigured: the URL is invalid or of another database than SQLite and PostgreSQL, or a driver is
        missing.
    :raises OSError: the SQLite file cannot be created.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    sizes = {"pool_size": POOL_SIZE, "max_overflow": MOST_CONNECTIONS - POOL_SIZE, "pool_timeout": seconds}
    try:
        file = sqlite.file_of(url)
        if url.partition("://")[0] in ("sqlite", "sqlite+pysqlite"):
            engine = create_engine(url, **({} if file is None else sizes))
        else:
            engine = create_engine(url, pool_pre_ping=True, pool_use_lifo=True, **sizes)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
        raise StoreMisconfigured(f"it cannot be used: {' '.join(str(error).split())[:200]}") from None
    if engine.dialect.name == "sqlite":
        sqlite.bound(engine, file, seconds)
    elif (engine.dialect.name, engine.dialect.driver) == ("postgresql", "psycopg"):
        from omni_gateway.store import postgresql

        postgresql.bound(engine, seconds)
    else:
        raise StoreMisconfigured("it must begin with sqlite:// or postgresql+psycopg://")
    return engine


def lasting(error: StoreUnavailable) -> bool:
    """Return whether the store will not become available by waiting."""
    return error.reason == CORRUPT.reason
