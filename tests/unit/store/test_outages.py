"""A database that is locked, full, damaged, gone or slow: one error, soon, and one line in the log."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from omni_gateway.store import Store, StoreMisconfigured, StoreRefused, StoreUnavailable
from omni_gateway.store.circuit import LONGEST_PAUSE, Circuit
from omni_gateway.store.database import LEAST_SECONDS
from omni_gateway.store.errors import LOCKED, TIMEOUT
from omni_gateway.store.sqlite import protect

SECONDS = 0.6
#: Of a machine that has other things to do.
SLACK = 10.0


def at(folder: Path) -> str:
    return f"sqlite:///{folder / 'gateway.sqlite'}"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(at(tmp_path), seconds=SECONDS)
    store.wait(30)
    yield store
    store.close()


@contextmanager
def locked(folder: Path, *statements: str) -> Iterator[None]:
    """Hold the database's lock from another connection."""
    with sqlite3.connect(folder / "gateway.sqlite", isolation_level=None) as other:
        for statement in statements or ("BEGIN EXCLUSIVE",):
            other.execute(statement)
        yield
        with suppress(sqlite3.Error):
            other.execute("ROLLBACK")
    other.close()


def unavailable(call: Callable[[], Any]) -> tuple[str, float]:
    """Return the reason of a call that fails, and how long it took."""
    before = time.monotonic()
    with pytest.raises(StoreUnavailable) as error:
        call()
    return error.value.reason, time.monotonic() - before


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name.startswith("omni_gateway.store")]


def test_a_write_to_a_locked_database_ends_in_time_and_the_next_at_once(store: Store, tmp_path: Path) -> None:
    with locked(tmp_path):
        first = unavailable(lambda: store.tokens.create("t", "reader", None))
        second = unavailable(lambda: store.tokens.create("t", "reader", None))
    assert (first[0], second[0]) == ("The store is locked by another process.",) * 2
    assert first[1] < SECONDS + SLACK
    assert second[1] < SECONDS / 2


def test_a_database_whose_writes_are_locked_is_read_all_the_same(store: Store, tmp_path: Path) -> None:
    with locked(tmp_path):
        unavailable(lambda: store.tokens.create("t", "reader", None))
        assert store.tokens.list() == []


def test_a_database_that_another_process_has_to_itself_fails_reads_in_time(store: Store, tmp_path: Path) -> None:
    store.close()
    own = ("PRAGMA locking_mode=EXCLUSIVE", "BEGIN IMMEDIATE", "UPDATE alembic_version SET version_num = version_num")
    with locked(tmp_path, *own):
        reason, seconds = unavailable(store.tokens.list)
    assert "locked" in reason
    assert seconds < SECONDS + SLACK


def test_an_outage_is_one_line_and_its_end_another(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, wait_until: Callable[..., Any]
) -> None:
    with locked(tmp_path):
        for _ in range(5):
            unavailable(lambda: store.tokens.create("t", "reader", None))

    def made() -> bool:
        with suppress(StoreUnavailable):
            store.tokens.create("t", "reader", None)
            return True
        return False

    wait_until(made, LONGEST_PAUSE + 5)
    first, second = lines(caplog)
    assert first.startswith("the store cannot be written (OperationalError: database is locked)")
    assert second.startswith("the store can be written again, after")
    # Other tests' servers in this process log as well.
    assert {record.exc_info for record in caplog.records if record.name.startswith("omni_gateway.store")} == {None}


def test_the_readiness_check_finds_out_that_writes_work_again(store: Store, tmp_path: Path) -> None:
    with locked(tmp_path):
        unavailable(lambda: store.tokens.create("t", "reader", None))
        assert unavailable(store.check)[0] == LOCKED.reason
    store.check()
    store.tokens.create("t", "reader", None)


def test_a_full_disk_fails_writes_only(store: Store) -> None:
    with store.engine().connect() as connection:
        connection.execute(text("PRAGMA max_page_count=1"))  # is raised to what there is
    big = {"data": "x" * 200_000}
    reason, _ = unavailable(lambda: store.documents.create("c", "big", big, {}, {}))
    assert reason == "The store's disk is full."
    assert store.documents.list("c") == []


def test_a_damaged_file_is_said_to_be_one_and_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "gateway.sqlite").write_bytes(b"this is no database at all" * 200)
    store = Store(at(tmp_path), seconds=SECONDS)
    reason, seconds = unavailable(lambda: store.wait(60))
    assert reason == "The store's database is damaged."
    assert seconds < 30


def test_a_file_that_is_gone_is_not_made_anew(store: Store, tmp_path: Path) -> None:
    store.tokens.create("t", "reader", None)
    for path in tmp_path.iterdir():
        path.rename(path.with_suffix(".away" + path.suffix))
    assert unavailable(store.tokens.list)[0] == "The store cannot be reached."
    assert unavailable(lambda: store.tokens.create("u", "reader", None))[0] == "The store cannot be reached."
    assert not (tmp_path / "gateway.sqlite").exists()


def test_a_file_that_is_back_is_used_again(store: Store, tmp_path: Path) -> None:
    store.tokens.create("t", "reader", None)
    (tmp_path / "gateway.sqlite").rename(tmp_path / "kept")
    unavailable(store.check)
    (tmp_path / "kept").rename(tmp_path / "gateway.sqlite")
    store.check()
    assert [token.name for token in store.tokens.list()] == ["t"]


def test_an_empty_file_in_its_place_is_told_apart_from_an_empty_store(store: Store, tmp_path: Path) -> None:
    for path in list(tmp_path.iterdir()):
        path.unlink()
    (tmp_path / "gateway.sqlite").touch(mode=0o600)
    assert unavailable(store.tokens.list)[0] == "The store does not have the gateway's tables."


def test_a_statement_that_runs_too_long_is_cut_off(store: Store) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"

    def run() -> None:
        with store.database.connect() as connection:
            connection.execute(text(endless)).scalar()

    reason, seconds = unavailable(run)
    assert reason == "The store does not answer in time."
    assert seconds < SECONDS + SLACK


def test_the_end_of_the_time_to_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(f"sqlite:///{tmp_path}/file/gateway.sqlite", seconds=SECONDS)
    reason, _ = unavailable(lambda: store.wait(0.5))
    assert reason == "The store cannot be reached."


@pytest.mark.parametrize("url", ["mysql://a/b", "postgresql+psycopg2://a/b", "nonsense", "postgresql+psycopg://h:x/d"])
def test_a_url_that_can_never_work_is_not_waited_for(url: str) -> None:
    with pytest.raises(StoreMisconfigured):
        Store(url, seconds=SECONDS).wait(60)


@pytest.mark.parametrize("name", ["a\ud800b"])
def test_a_value_that_cannot_be_stored_is_refused(store: Store, name: str) -> None:
    with pytest.raises(StoreRefused):
        store.tokens.create(name, "reader", None)
    assert store.tokens.list() == []


def test_while_calls_time_out_one_at_a_time_looks_again() -> None:
    now = [0.0]
    circuit = Circuit("read", lambda: now[0])
    circuit.failed(TIMEOUT, 5.0, "too late", trying=circuit.admit())
    with pytest.raises(StoreUnavailable):
        circuit.admit()
    now[0] = 1.5
    assert circuit.admit()
    with pytest.raises(StoreUnavailable):
        circuit.admit()
    circuit.failed(TIMEOUT, 5.0, "too late", trying=True)
    now[0] += 1.5
    with pytest.raises(StoreUnavailable):  # the second pause is twice as long
        circuit.admit()
    now[0] += 1.0
    assert circuit.admit()
    circuit.succeeded()
    assert not circuit.admit()


def test_what_fails_quickly_is_tried_each_time() -> None:
    circuit = Circuit("read", lambda: 0.0)
    circuit.failed(LOCKED, 0.01, "refused", trying=circuit.admit())
    assert not circuit.admit()


def test_callers_share_one_opening(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "alembic")
    store = Store(at(tmp_path))
    threads = [threading.Thread(target=store.tokens.list) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([record for record in caplog.records if "-> 0001" in record.message]) == 1


def test_a_call_takes_no_longer_than_its_request_has_left(tmp_path: Path) -> None:
    store = Store(at(tmp_path), seconds=30, left=lambda seconds: 0.1)
    store.database.engine()
    with locked(tmp_path):
        reason, seconds = unavailable(lambda: store.tokens.create("t", "reader", None))
    assert reason == LOCKED.reason
    assert seconds < LEAST_SECONDS + SLACK


OTHER_PROCESS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("UPDATE alembic_version SET version_num = version_num")
connection.commit()
connection.close()
"""


def test_the_file_is_protected_again_without_giving_its_locks_up(store: Store, tmp_path: Path) -> None:
    store.tokens.create("t", "reader", None)
    file = tmp_path / "gateway.sqlite"

    protect(file)
    subprocess.run([sys.executable, "-c", OTHER_PROCESS, str(file)], check=True, timeout=60)

    # Who closes a database as the last one takes its WAL away.
    assert file.with_name("gateway.sqlite-wal").exists()


def place_tokens(file: Path, page: int) -> int:
    """Have the file say that its tokens begin at a page; return the page that it said before."""
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("PRAGMA writable_schema=ON")  # also reads what is damaged
        [(before,)] = other.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tokens'").fetchall()
        [(version,)] = other.execute("PRAGMA schema_version").fetchall()
        other.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'tokens'", [page])
        other.execute(f"PRAGMA schema_version={version + 1}")
    other.close()
    return int(before)


def driver_connection(store: Store) -> Any:
    with store.database.connect() as connection:
        return connection.connection.driver_connection


def test_a_connection_that_found_the_file_damaged_is_not_used_again(store: Store, tmp_path: Path) -> None:
    store.tokens.create("t", "reader", None)
    before = driver_connection(store)
    page = place_tokens(tmp_path / "gateway.sqlite", 999_999)
    assert unavailable(store.tokens.list)[0] == "The store's database is damaged."
    place_tokens(tmp_path / "gateway.sqlite", page)

    assert driver_connection(store) is not before
    assert [token.name for token in store.tokens.list()] == ["t"]
