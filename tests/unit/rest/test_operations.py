"""Waiting for operations, their stages, and their end where there is no evidence of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from omni_gateway.rest.operations import (
    Operation,
    progress_of,
    seconds_since,
    stages_in_order,
    unknown_after,
    wait_for_change,
    wait_until_done,
)

RUNNING = Operation("upgrade", "c1", "running", "one of three")


def readings(*progress: str) -> list[Operation]:
    """An operation that goes through these texts and then is done."""
    return [*(replace(RUNNING, progress=text) for text in progress), replace(RUNNING, state="succeeded")]


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def test_a_wait_lasts_until_the_work_is_done_whatever_changes_before() -> None:
    steps = iter(readings("one", "two"))
    assert wait_until_done(lambda: next(steps), 20).state == "succeeded"


def test_a_wait_for_a_change_ends_with_the_first_one() -> None:
    steps = iter(readings("one", "one", "two"))
    assert wait_for_change(lambda: next(steps), 20).progress == "two"


def test_no_wait_is_one_reading() -> None:
    steps = iter(readings("one"))
    assert wait_until_done(lambda: next(steps), 0).progress == "one"


def test_a_stream_tells_each_change_once_and_ends_with_the_work() -> None:
    steps = iter(readings("one", "one", "two"))
    with progress_of(lambda: next(steps)) as progress:
        told = [(operation.state, operation.progress) for operation in progress]
    assert told == [("running", "one"), ("running", "two"), ("succeeded", "one of three")]


def test_a_stream_that_is_left_reads_no_more() -> None:
    steps = iter([RUNNING])
    with progress_of(lambda: next(steps)) as progress:
        assert next(progress) == RUNNING
    assert list(progress) == []


def test_the_first_stage_that_is_not_done_is_at_work() -> None:
    stages = stages_in_order([("a", True), ("b", False), ("c", False)], "running")
    assert [(stage.name, stage.state) for stage in stages] == [("a", "succeeded"), ("b", "running"), ("c", "pending")]


def test_work_that_failed_failed_at_its_first_open_stage() -> None:
    stages = stages_in_order([("a", True), ("b", False), ("c", False)], "failed")
    assert [stage.state for stage in stages] == ["succeeded", "failed", "pending"]


def test_work_without_evidence_for_too_long_is_unknown_and_says_what_to_look_at() -> None:
    stages = stages_in_order([("a", True), ("b", False)], "running")
    ended = unknown_after(replace(RUNNING, started=ago(61), stages=stages), 60, "Look there.")
    assert (ended.state, ended.done, ended.hint) == ("unknown", True, "Look there.")
    assert [stage.state for stage in ended.stages] == ["succeeded", "unknown"]


def test_work_within_its_time_or_without_a_beginning_goes_on() -> None:
    assert unknown_after(replace(RUNNING, started=ago(5)), 60, "Look.").state == "running"
    assert unknown_after(RUNNING, 60, "Look.").state == "running"


def test_work_that_is_done_is_never_unknown() -> None:
    done = replace(RUNNING, state="succeeded", started=ago(1000))
    assert unknown_after(done, 60, "Look.") == done


def test_a_moment_that_cannot_be_read_is_now() -> None:
    assert (seconds_since("soon"), seconds_since(None), seconds_since("2026-01-01T00:00:00")) == (0, 0, 0)
