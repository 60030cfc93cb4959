"""The thread that writes to the store: in batches, without anybody waiting, and with an end to everything."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from omni_gateway.audit import sampling, writer
from omni_gateway.audit.entries import new_id
from omni_gateway.audit.sampling import MOST_EACH_MINUTE
from omni_gateway.audit.writer import AuditWriter, Retention
from omni_gateway.http.metrics import AUDITED
from omni_gateway.store import AuditEntry, AuditStore, Store, StoreRefused, StoreUnavailable

RETENTION = Retention(timedelta(days=90), 1000)


def entry(status: int = 200, **members: Any) -> AuditEntry:
    moment = time.time_ns()
    members = {"caller_id": "token:1", **members}
    return AuditEntry(new_id(moment), datetime.fromtimestamp(moment / 1e9, UTC), status, outcome="done", **members)


class Capricious(AuditStore):
    """A real store that fails when it is told to."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.engine)
        self.failure: Callable[[Sequence[AuditEntry]], Exception | None] = lambda _: None
        self.calls: list[int] = []

    def add(self, entries: Sequence[AuditEntry]) -> None:
        self.calls.append(len(entries))
        if failure := self.failure(entries):
            raise failure
        super().add(entries)


@pytest.fixture
def store(new_store: Store) -> Capricious:
    return Capricious(new_store)


@pytest.fixture
def keeper(store: Capricious) -> Iterator[AuditWriter]:
    keeper = AuditWriter(store, RETENTION)
    yield keeper
    with suppress(AttributeError):
        keeper.stop()


def count(fate: str) -> float:
    return float(AUDITED.labels(fate)._value.get())


def away(entries: Sequence[AuditEntry]) -> Exception:
    return StoreUnavailable("The store cannot be reached.")


def test_entries_are_written_soon_and_together(
    keeper: AuditWriter, store: Capricious, wait_until: Callable[..., Any]
) -> None:
    for number in range(50):
        keeper.put(entry(object_id=str(number)))
    wait_until(lambda: store.page({})[1] == 50)
    assert len(store.calls) <= 2


def test_what_waits_is_written_when_the_worker_stops(
    keeper: AuditWriter, store: Capricious, wait_until: Callable[..., Any]
) -> None:
    for number in range(1200):
        keeper.put(entry(object_id=str(number)))
    keeper.stop()
    wait_until(lambda: store.page({})[1] == 1200)  # a stop gives up waiting for a slow disk, the thread goes on


def test_an_idle_thread_stops_at_once(keeper: AuditWriter, store: Capricious, wait_until: Callable[..., Any]) -> None:
    keeper.put(entry())
    wait_until(lambda: store.page({})[1] == 1)
    before = time.monotonic()
    keeper.stop()
    assert time.monotonic() - before < writer.IDLE_SECONDS / 2


def test_while_the_store_is_away_entries_wait_and_nobody_else_does(
    keeper: AuditWriter, store: Capricious, wait_until: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    store.failure = away
    keeper.put(entry(object_id="early"))
    wait_until(lambda: len(store.calls) >= 3)
    keeper.put(entry(object_id="late"))
    store.failure = lambda _: None
    wait_until(lambda: store.page({})[1] == 2)
    told = [record.message for record in caplog.records if "takes no audit entries" in record.message]
    assert told == ["the store takes no audit entries (The store cannot be reached.); they wait"]


def test_a_queue_that_is_full_drops_counts_and_says_so_once(
    keeper: AuditWriter,
    store: Capricious,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    wait_until: Callable[..., Any],
) -> None:
    monkeypatch.setattr(writer, "QUEUED", 10)
    store.failure = away
    keeper.put(entry())
    wait_until(lambda: store.calls)
    before = count("lost")
    for _ in range(30):
        keeper.put(entry())
    assert count("lost") - before == 20
    told = [record.message for record in caplog.records if "wait for the store" in record.message]
    assert told == ["more than 10 audit entries wait for the store; further ones are in the log only"]


def test_an_entry_that_the_store_refuses_costs_no_others(
    keeper: AuditWriter, store: Capricious, wait_until: Callable[..., Any]
) -> None:
    def refuse(entries: Sequence[AuditEntry]) -> Exception | None:
        bad = any(item.who == "bad" for item in entries)
        return StoreRefused("no such character") if bad else None

    store.failure = refuse
    for who in ("good", "bad", "better"):
        keeper.put(entry(who=who))
    wait_until(lambda: store.page({})[1] == 2)
    assert {item.who for item in store.page({})[0]} == {"good", "better"}


def test_a_failure_that_nobody_has_thought_of_does_not_end_the_thread(
    keeper: AuditWriter, store: Capricious, wait_until: Callable[..., Any]
) -> None:
    store.failure = lambda _: RuntimeError("nobody has thought of it")
    keeper.put(entry())
    wait_until(lambda: store.calls)
    store.failure = lambda _: None
    wait_until(lambda: store.page({})[1] == 1)


@pytest.mark.parametrize(
    "refused",
    [{"status": 401, "caller_id": "token:2"}, {"status": 413, "caller_id": ""}, {"status": 403, "caller_id": ""}],
    ids=["no credential", "refused by the server", "no caller"],
)
def test_strangers_fill_no_database_and_their_number_is_kept(
    keeper: AuditWriter, store: Capricious, refused: dict[str, Any], wait_until: Callable[..., Any]
) -> None:
    for _ in range(1000):
        keeper.put(entry(code="refused", **refused))
    keeper.put(entry(200, who="ada", caller_id="token:1"))
    keeper.stop()
    wait_until(lambda: store.page({"status": refused["status"]})[1] > MOST_EACH_MINUTE)
    entries, total = store.page({"status": refused["status"]})
    assert total == MOST_EACH_MINUTE + 1
    assert sum(item.times for item in entries) == 1000
    assert store.page({"who": "ada"})[1] == 1


def test_a_sum_is_written_when_its_minute_ends_though_nothing_else_happens(
    keeper: AuditWriter, store: Capricious, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    now = [1000.0]
    monkeypatch.setattr(writer, "IDLE_SECONDS", 0.05)
    monkeypatch.setattr(sampling, "time", SimpleNamespace(monotonic=lambda: now[0], time_ns=time.time_ns))
    for _ in range(MOST_EACH_MINUTE + 3):
        keeper.put(entry(401, code="refused"))
    wait_until(lambda: store.page({})[1] == MOST_EACH_MINUTE)
    now[0] += 60
    wait_until(lambda: store.page({})[1] == MOST_EACH_MINUTE + 1)
    assert max(item.times for item in store.page({})[0]) == 3


def test_old_entries_are_not_removed_each_time_that_new_ones_are_written(
    keeper: AuditWriter, store: Capricious, monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., Any]
) -> None:
    removals: list[Any] = []
    monkeypatch.setattr(store, "prune", lambda **bounds: removals.append(bounds))
    monkeypatch.setattr(writer, "PRUNE_SECONDS", 1e9)
    for number in (1, 2):
        keeper.put(entry())
        wait_until(lambda number=number: store.page({})[1] == number)
    assert removals == []


def test_with_no_rows_to_keep_nothing_is_started(store: Capricious) -> None:
    keeper = AuditWriter(store, Retention(timedelta(days=1), 0))
    keeper.put(entry())
    assert store.page({})[1] == 0


FORKING = """
import os, sys, time
from datetime import timedelta
from omni_gateway.audit.writer import AuditWriter, Retention
from omni_gateway.store import Store
from tests.unit.audit.test_keeping import entry

store = Store(sys.argv[1])
keeper = AuditWriter(store.audit, Retention(timedelta(days=90), 1000))
keeper.put(entry(who="parent"))
deadline = time.monotonic() + 30
while store.audit.page({})[1] == 0 and time.monotonic() < deadline:
    time.sleep(0.01)
child = os.fork()
if child == 0:
    keeper.put(entry(who="child"))
    keeper.stop()
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_process_writes_its_own_entries(tmp_path: Path) -> None:
    """In a program of its own: this process has gRPC's threads, with which nothing may be forked."""
    url = f"sqlite:///{tmp_path / 'forked.sqlite'}"
    ended = subprocess.run(
        [sys.executable, "-c", FORKING, url], capture_output=True, text=True, timeout=90, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert {item.who for item in Store(url).audit.page({})[0]} == {"parent", "child"}
