"""Of the entries that anyone can cause, the first ones of each minute are stored and the others counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest

from omni_gateway.audit import sampling as module
from omni_gateway.audit.sampling import MOST_EACH_MINUTE, Sampler
from omni_gateway.store import AuditEntry

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)


def entry(status: int = 401, caller: str = "", code: str = "unauthorized") -> AuditEntry:
    return AuditEntry("0123", NOW, status, caller_id=caller, code=code)


@pytest.fixture
def pass_by(stop_time: Callable[[ModuleType], Callable[[float], None]]) -> Callable[[float], None]:
    return stop_time(module)


def admitted(sampler: Sampler, times: int, one: AuditEntry) -> int:
    return sum(sampler.admits(one) for _ in range(times))


@pytest.mark.parametrize(
    ("status", "caller", "sampled"),
    [
        (200, "token:1", False),
        (403, "token:1", False),
        (401, "token:1", True),
        (429, "token:1", True),
        (403, "", True),
        (413, "", True),
    ],
)
def test_entries_without_a_caller_or_a_valid_credential_are_sampled(status: int, caller: str, sampled: bool) -> None:
    times = MOST_EACH_MINUTE * 2
    assert admitted(Sampler(), times, entry(status, caller)) == (MOST_EACH_MINUTE if sampled else times)


def test_each_minute_has_its_own_first_entries(pass_by: Callable[[float], None]) -> None:
    sampler = Sampler()
    counts = []
    for seconds in (0, 59, 1, 59):
        pass_by(seconds)
        counts.append(admitted(sampler, 6, entry()))
    assert counts == [6, 4, 6, 4]


def test_what_is_counted_is_summed_up_by_status_and_code_when_the_minute_ends(
    pass_by: Callable[[float], None],
) -> None:
    sampler = Sampler()
    assert admitted(sampler, MOST_EACH_MINUTE, entry()) == MOST_EACH_MINUTE
    for one, times in ((entry(), 3), (entry(429, "token:1", "too-many"), 2), (entry(500, code=""), 1)):
        assert admitted(sampler, times, one) == 0
    pass_by(59)
    assert sampler.sums() == []
    pass_by(1)
    before = datetime.now(UTC)
    sums = sampler.sums()
    assert [(each.status, each.code, each.outcome, each.times) for each in sums] == [
        (401, "unauthorized", "denied", 3),
        (429, "too-many", "denied", 2),
        (500, "", "failed", 1),
    ]
    assert all(before - timedelta(seconds=1) < each.time <= datetime.now(UTC) for each in sums)
    assert [len(each.id) for each in sums] == [28] * 3
    assert {each.caller_id for each in sums} == {""}
    assert sampler.sums() == []


def test_a_worker_that_stops_does_not_wait_for_the_minutes_end(pass_by: Callable[[float], None]) -> None:
    sampler = Sampler()
    assert sampler.sums(now=True) == []
    admitted(sampler, MOST_EACH_MINUTE + 1, entry())
    assert [each.times for each in sampler.sums(now=True)] == [1]


def test_a_minute_without_anything_to_count_has_no_sum(pass_by: Callable[[float], None]) -> None:
    sampler = Sampler()
    assert sampler.admits(entry())
    pass_by(60)
    assert sampler.sums() == []
