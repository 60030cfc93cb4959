"""The faults: each begins, lasts while it is looked at, and ends."""

from __future__ import annotations

import errno
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from redis import Redis as RedisClient

from tests.faults.world import World

Inject = Callable[[World], AbstractContextManager[None]]


@dataclass(frozen=True)
class Injection:
    """One row of the matrix. ``gateway``: whose store is concerned, or any."""

    component: str
    fault: str
    gateway: str
    inject: Inject
    #: The readiness check that has to fail meanwhile; empty: none.
    check: str = ""


@contextmanager
def _omni_gone(world: World) -> Iterator[None]:
    world.omni.kill()
    yield
    world.omni.start()


@contextmanager
def _omni_hung(world: World) -> Iterator[None]:
    world.omni.signal(signal.SIGSTOP)
    yield
    world.omni.signal(signal.SIGCONT)


def _slow(component: str, seconds: float) -> Inject:
    @contextmanager
    def inject(world: World) -> Iterator[None]:
        world.slow[component].delay = seconds
        yield
        world.slow[component].delay = 0.0

    return inject


@contextmanager
def _postgresql_gone(world: World) -> Iterator[None]:
    world.postgresql.stop()
    yield
    world.postgresql.start()


@contextmanager
def _postgresql_hung(world: World) -> Iterator[None]:
    world.postgresql.pause()
    yield
    world.postgresql.resume()


@contextmanager
def _postgresql_locked(world: World) -> Iterator[None]:
    with psycopg.connect(f"host={world.postgresql.folder} user=gateway dbname=gateway") as other:
        other.execute("LOCK TABLE tokens, documents, idempotency_keys, audit IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


def _database(world: World) -> Path:
    return world.folder / "gateway.sqlite"


def _emptied_log(world: World) -> None:
    """Move what the write-ahead log has into the database, so that the file alone is the whole of it."""
    with sqlite3.connect(_database(world), timeout=10) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()


@contextmanager
def _sqlite_gone(world: World) -> Iterator[None]:
    _emptied_log(world)
    away = _database(world).rename(world.folder / "away")
    yield
    away.rename(_database(world))


@contextmanager
def _sqlite_damaged(world: World) -> Iterator[None]:
    _emptied_log(world)
    away = _database(world).rename(world.folder / "away")
    _database(world).write_bytes(b"damaged" * 1000)
    yield
    away.rename(_database(world))


@contextmanager
def _sqlite_locked(world: World) -> Iterator[None]:
    other = sqlite3.connect(_database(world), isolation_level=None, timeout=10)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()


_HOLDER = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
other.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
other.execute("ROLLBACK")
"""


@contextmanager
def _sqlite_hung(world: World) -> Iterator[None]:
    """A process that was stopped in the midst of a transaction."""
    command = [sys.executable, "-c", _HOLDER, str(_database(world))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        holder.send_signal(signal.SIGSTOP)
        yield
        holder.send_signal(signal.SIGCONT)


@contextmanager
def _sqlite_slow(world: World) -> Iterator[None]:
    """Another process that writes most of the time."""
    ended = threading.Event()

    def write() -> None:
        other = sqlite3.connect(_database(world), isolation_level=None, timeout=10)
        while not ended.is_set():
            other.execute("BEGIN IMMEDIATE")
            time.sleep(0.3)
            other.execute("ROLLBACK")
            time.sleep(0.1)
        other.close()

    thread = threading.Thread(target=write)
    thread.start()
    yield
    ended.set()
    thread.join()


@contextmanager
def _sqlite_full(world: World) -> Iterator[None]:
    _emptied_log(world)
    filler = world.folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (64 * 1024, 1024, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    yield
    filler.unlink()


@contextmanager
def _redis_gone(world: World) -> Iterator[None]:
    world.redis.stop()
    yield
    world.redis.start()


@contextmanager
def _redis_hung(world: World) -> Iterator[None]:
    world.redis.signal(signal.SIGSTOP)
    yield
    world.redis.signal(signal.SIGCONT)


@contextmanager
def _redis_full(world: World) -> Iterator[None]:
    with RedisClient(port=world.redis.port) as client:
        client.config_set("maxmemory", 1)
        yield
        client.config_set("maxmemory", 0)


def injections(world: World) -> Sequence[Injection]:
    """Return the rows, in order."""
    postgresql, sqlite = "PostgreSQL", "SQLite"
    rows = [
        Injection("Omni", "gone", postgresql, _omni_gone, "omni"),
        Injection("Omni", "hung", postgresql, _omni_hung, "omni"),
        Injection("Omni", "slow", postgresql, _slow("Omni", 0.3)),
        Injection(postgresql, "gone", postgresql, _postgresql_gone, "store"),
        Injection(postgresql, "hung", postgresql, _postgresql_hung, "store"),
        Injection(postgresql, "slow", postgresql, _slow(postgresql, 0.1)),
        Injection(postgresql, "locked", postgresql, _postgresql_locked),
        Injection(sqlite, "gone", sqlite, _sqlite_gone, "store"),
        Injection(sqlite, "hung", sqlite, _sqlite_hung, "store"),
        Injection(sqlite, "slow", sqlite, _sqlite_slow),
        Injection(sqlite, "locked", sqlite, _sqlite_locked, "store"),
        Injection(sqlite, "full", sqlite, _sqlite_full, "store"),
        Injection(sqlite, "damaged", sqlite, _sqlite_damaged, "store"),
        Injection("Redis", "gone", postgresql, _redis_gone),
        Injection("Redis", "hung", postgresql, _redis_hung),
        Injection("Redis", "slow", postgresql, _slow("Redis", 0.4)),
        Injection("Redis", "full", postgresql, _redis_full),
    ]
    return [row for row in rows if row.fault != "full" or row.component != sqlite or world.can_be_full]
