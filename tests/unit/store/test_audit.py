"""The audit's rows: pages, filters, retention."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from omni_gateway.store import AuditEntry, AuditStore, Store
from omni_gateway.store.audit import PRUNE_BATCH, id_at

START = datetime(2026, 8, 1, tzinfo=UTC)


@pytest.fixture
def audit(tmp_path: Path) -> AuditStore:
    return Store(f"sqlite:///{tmp_path / 'store.sqlite'}", seconds=60).audit  # thousands of rows, on a busy machine


def entry(minute: int, **members: Any) -> AuditEntry:
    moment = START + timedelta(minutes=minute)
    members = {"caller_id": "token:1", "status": 200, "outcome": "done", **members}
    return AuditEntry(id=f"{id_at(moment)}{minute:012x}", time=moment, **members)


def minutes(entries: list[AuditEntry]) -> list[int]:
    return [int((item.time - START).total_seconds() // 60) for item in entries]


def test_what_was_written_is_read_again(audit: AuditStore) -> None:
    whole = entry(
        1, who="ada", changed=["labels.env"], documents=[{"type": "Clusters", "id": "c"}], dry_run=True, duration_ms=1.5
    )
    audit.add([whole])
    assert audit.find(whole.id) == whole
    assert audit.find("no such id") is None


def test_pages_are_newest_first_and_count_all(audit: AuditStore) -> None:
    audit.add([entry(minute) for minute in range(10)])
    page, total = audit.page({}, offset=2, limit=3)
    assert (minutes(page), total) == ([7, 6, 5], 10)
    assert minutes(audit.page({}, limit=2, oldest_first=True)[0]) == [0, 1]


def test_filters_hold_together(audit: AuditStore) -> None:
    audit.add([entry(minute, who="ada" if minute % 2 else "bob", status=200 + minute % 3) for minute in range(12)])
    assert minutes(audit.page({"who": "ada", "status": 201})[0]) == [7, 1]
    between = {"since": START + timedelta(minutes=3), "until": START + timedelta(minutes=6)}
    assert minutes(audit.page(between)[0]) == [5, 4, 3]
    assert audit.page({"who": "nobody"}) == ([], 0)


def test_text_is_looked_for_in_the_path_and_means_itself(audit: AuditStore) -> None:
    audit.add([entry(1, path="/api/v1/clusters/a_b"), entry(2, path="/api/v1/clusters/axb")])
    assert minutes(audit.page({"text": "a_b"})[0]) == [1]
    assert audit.page({"text": "%"})[1] == 0


def test_what_is_too_old_goes(audit: AuditStore) -> None:
    audit.add([entry(minute) for minute in range(10)])
    assert audit.prune(before=START + timedelta(minutes=4), rows=100, unauthenticated_rows=100) == 4
    assert minutes(audit.page({})[0]) == [9, 8, 7, 6, 5, 4]


def test_what_is_too_much_goes_the_oldest_first_in_batches(audit: AuditStore) -> None:
    audit.add([entry(minute) for minute in range(PRUNE_BATCH * 2 + 100)])
    assert audit.prune(before=START, rows=50, unauthenticated_rows=100) == PRUNE_BATCH * 2 + 50
    entries, total = audit.page({}, limit=1)
    assert (total, minutes(entries)) == (50, [PRUNE_BATCH * 2 + 99])


def test_strangers_have_a_small_bound_of_their_own(audit: AuditStore) -> None:
    audit.add([entry(minute) for minute in range(5)])
    audit.add([entry(minute, caller_id="", status=401) for minute in range(10, 100)])
    audit.prune(before=START, rows=20, unauthenticated_rows=2)
    assert minutes(audit.page({})[0]) == [99, 98, 4, 3, 2, 1, 0]


def test_several_may_prune_at_once(audit: AuditStore) -> None:
    audit.add([entry(minute) for minute in range(5000)])
    removed: list[int] = []
    threads = [
        threading.Thread(target=lambda: removed.append(audit.prune(before=START, rows=100, unauthenticated_rows=10)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(removed) == 4
    assert audit.page({})[1] == 100


def test_a_worker_that_stops_leaves_the_rest_for_the_next(audit: AuditStore) -> None:
    audit.add([entry(minute) for minute in range(10)])
    assert audit.prune(before=START + timedelta(days=1), rows=1, unauthenticated_rows=1, go_on=lambda: False) == 0
