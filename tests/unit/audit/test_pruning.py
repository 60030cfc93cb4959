"""Old audit entries are removed by the thread that writes the new ones, and no failure of it ends the thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omni_gateway.audit import writer as module
from omni_gateway.audit.entries import new_id
from omni_gateway.audit.writer import AuditWriter, Retention
from omni_gateway.http.metrics import AUDITED
from omni_gateway.store import AuditEntry, AuditStore, Store, StoreRefused, StoreUnavailable

DAY = timedelta(days=1)


class Recording(AuditStore):
    """A real store that records what it is to remove, and fails where the test says so."""

    def __init__(self, store: Store) -> None:
        super().__init__(lambda: store.database)
        self.pruned: list[dict[str, Any]] = []
        self.failures: list[Exception] = []
        self.refusing: Exception | None = None

    def add(self, entries: Any) -> None:
        if self.refusing:
            raise self.refusing
        super().add(entries)

    def prune(self, **options: Any) -> None:
        self.pruned.append({**options, "going_on": options["go_on"](), "at": datetime.now(UTC)})
        if self.failures:
            raise self.failures.pop()
        super().prune(**options)


@pytest.fixture
def store(new_store: Store) -> Recording:
    return Recording(new_store)


@pytest.fixture
def writer(store: Recording, monkeypatch: pytest.MonkeyPatch) -> Iterator[AuditWriter]:
    monkeypatch.setattr(module, "PRUNE_SECONDS", 0.0)
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
    writer = AuditWriter(store, Retention(DAY, 25))
    yield writer
    store.refusing = None
    writer.stop()


def entry(age: timedelta = timedelta(0), who: str = "") -> AuditEntry:
    time = datetime.now(UTC) - age
    return AuditEntry(new_id(int(time.timestamp() * 1e9)), time, 200, who=who, caller_id="token:1", outcome="done")


def test_entries_beyond_their_age_are_removed(
    writer: AuditWriter, store: Recording, wait_until: Callable[..., Any]
) -> None:
    store.add([entry(DAY * 2, "old"), entry(DAY / 2, "recent")])
    writer.put(entry(who="new"))
    wait_until(lambda: {each.who for each in store.page({})[0]} == {"recent", "new"})


def test_the_bounds_of_the_settings_are_given_to_the_store(
    writer: AuditWriter, store: Recording, wait_until: Callable[..., Any]
) -> None:
    writer.put(entry())
    wait_until(lambda: store.pruned)
    asked = store.pruned[0]
    assert timedelta(0) <= asked["at"] - (asked["before"] + DAY) < timedelta(seconds=30)
    assert (asked["rows"], asked["unauthenticated_rows"], asked["going_on"]) == (25, 2, True)


def test_a_removal_ends_when_the_worker_stops(
    writer: AuditWriter, store: Recording, wait_until: Callable[..., Any]
) -> None:
    writer.put(entry())
    go_on = wait_until(lambda: store.pruned)[0]["go_on"]
    writer.stop()
    assert go_on() is False


@pytest.mark.parametrize(
    ("failure", "level", "text"),
    [
        (StoreUnavailable("Away."), logging.WARNING, "old audit entries could not be removed now: Away."),
        (KeyError("defect"), logging.ERROR, "old audit entries could not be removed"),
    ],
)
def test_a_removal_that_fails_is_logged_and_tried_again(
    writer: AuditWriter,
    store: Recording,
    failure: Exception,
    level: int,
    text: str,
    caplog: pytest.LogCaptureFixture,
    wait_until: Callable[..., Any],
) -> None:
    store.failures = [failure]
    writer.put(entry())
    wait_until(lambda: len(store.pruned) >= 2)
    assert [(each.levelno, each.getMessage(), bool(each.exc_info)) for each in logged(caplog)] == [
        (level, text, level == logging.ERROR)
    ]


def logged(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == module.log.name]


def count(fate: str) -> float:
    return float(AUDITED.labels(fate)._value.get())


def test_entries_are_counted_as_kept_and_those_that_the_store_refuses_as_lost(
    writer: AuditWriter, store: Recording, caplog: pytest.LogCaptureFixture, wait_until: Callable[..., Any]
) -> None:
    kept, lost = count("kept"), count("lost")
    writer.put(entry())
    wait_until(lambda: count("kept") == kept + 1)
    store.refusing = StoreRefused("no such character")
    writer.put(entry())
    wait_until(lambda: count("lost") == lost + 1)
    assert [each.getMessage() for each in logged(caplog)] == ["the store refuses an audit entry (StoreRefused)"]


def test_entries_that_wait_for_the_store_when_the_worker_stops_are_counted_as_lost(
    writer: AuditWriter, store: Recording, caplog: pytest.LogCaptureFixture, wait_until: Callable[..., Any]
) -> None:
    lost = count("lost")
    store.refusing = KeyError("defect")
    writer.put(entry())
    wait_until(lambda: logged(caplog))
    writer.stop()
    wait_until(lambda: count("lost") == lost + 1)
    assert logged(caplog)[0].getMessage() == "the store takes no audit entries (KeyError); they wait"


def test_the_thread_is_named_and_does_not_keep_the_process(writer: AuditWriter) -> None:
    writer.put(entry())
    assert (writer._thread.name, writer._thread.daemon) == ("audit", True)
    writer.stop()
    writer.stop()
    assert not writer._thread.is_alive()
