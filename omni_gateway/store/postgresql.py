"""PostgreSQL connections with a deadline for every wait.

``statement_timeout`` is enforced by the server, which does not help if it hangs or the network drops packets. psycopg
waits for its socket in one method, which is bounded here by the call's deadline (:mod:`omni_gateway.store.deadline`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from threading import Thread
from typing import TYPE_CHECKING, Any

import psycopg

from omni_gateway.store.deadline import remaining

if TYPE_CHECKING:
    from sqlalchemy import Engine

#: A transaction of a worker that was stopped holds its locks for at most so many times a call's seconds.
IDLE_FACTOR = 4


class DeadlineExceeded(psycopg.OperationalError):
    """The server did not answer within the deadline of the call."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that closes itself when the server does not answer within the deadline of the call."""

    #: Of a call without a deadline.
    seconds = 5.0

    def wait(self, gen: Any, *args: Any, **options: Any) -> Any:
        """Wait as the base class does; raise :class:`DeadlineExceeded` after the deadline."""
        try:
            return super().wait(_until(gen, time.monotonic() + remaining(self.seconds)), *args, **options)
        except DeadlineExceeded:
            self.pgconn.finish()  # its socket does not block
            raise


def _until(gen: Generator[Any, Any, Any], until: float) -> Generator[Any, Any, Any]:
    """Wrap a generator of psycopg's, which is resumed at least ten times a second; raise after the deadline."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if time.monotonic() >= until:
                raise DeadlineExceeded("the server did not answer in time")
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value


def bound(engine: Engine, seconds: float) -> None:
    """Give an engine's connections deadlines; ``seconds`` for calls without one of their own."""
    from sqlalchemy import event

    kind = type("StoreConnection", (BoundedConnection,), {"seconds": seconds})

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
        return _connected(kind, arguments, _with_defaults(options, seconds), remaining(seconds))

    @event.listens_for(engine, "connect")
    def _set_up(connection: psycopg.Connection[Any], record: Any) -> None:
        """Set the server's timeouts too; by SET, for some connection poolers refuse start-up options."""
        idle = f"SET idle_in_transaction_session_timeout = {_milliseconds(seconds * IDLE_FACTOR)}"
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {_milliseconds(seconds)}")
            cursor.execute(idle)
        connection.commit()


def _with_defaults(options: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Add options by which the kernel detects a dead server; those of the URL take precedence."""
    defaults = {
        "connect_timeout": max(2, math.ceil(seconds)),  # libpq's minimum
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": _milliseconds(seconds),
    }
    return {**defaults, **options}


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))


def _connected(kind: type[BoundedConnection], arguments: list[Any], options: dict[str, Any], seconds: float) -> Any:
    """Connect in a thread, for libpq has no deadline for name resolution, several addresses and TLS together."""
    if seconds <= 0:
        raise DeadlineExceeded("the server did not answer in time")
    attempt = _Attempt(kind, arguments, options)
    attempt.start()
    attempt.join(seconds)
    return attempt.result()


class _Attempt(Thread):
    """One attempt to connect; a connection that is made too late is closed."""

    def __init__(self, kind: type[BoundedConnection], arguments: list[Any], options: dict[str, Any]) -> None:
        super().__init__(name="store-connect", daemon=True)
        self._kind = kind
        self._arguments = arguments
        self._options = options
        self._given_up = False
        self._connection: BoundedConnection | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._connection = self._kind.connect(*self._arguments, **self._options)
        except BaseException as error:  # raised by `result`, in the waiting thread
            self._error = error
        if self._given_up and self._connection is not None:
            self._connection.close()

    def result(self) -> BoundedConnection:
        """Return the connection, or raise the attempt's error; raise DeadlineExceeded if it still runs."""
        if self.is_alive():
            self._given_up = True
            if self._connection is not None:
                self._connection.close()
            raise DeadlineExceeded("no connection could be made in time")
        if self._error is not None:
            raise self._error
        assert self._connection is not None
        return self._connection
