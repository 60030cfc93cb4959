"""A stream that is pushed: what is put in comes out in order, and it ends as it should, whoever carries it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from omni_gateway.http.problems import Problem
from omni_gateway.watch import push_stream, stream_response
from omni_gateway.watch.push_stream import PushStream

NDJSON = stream_response.FORMS[stream_response.NDJSON]
BEAT = NDJSON.beat
NEVER = 3600.0


class Made:
    """A stream, and how often it was closed."""

    def __init__(
        self, proved: Callable[[], bool] = lambda: True, heartbeat: float = NEVER, max_age: float = NEVER
    ) -> None:
        self.closed = self.woken = 0
        self.stream = PushStream(NDJSON, proved=proved, closed=self._close, heartbeat=heartbeat, max_age=max_age)
        self.stream.woken_by(self._wake)

    def _close(self) -> None:
        self.closed += 1

    def _wake(self) -> None:
        self.woken += 1

    def rest(self) -> bytes:
        said = b""
        while piece := self.stream.take():
            said += piece
        return said


def at_once(look: Callable[[], None]) -> None:
    look()


def test_what_is_there_at_first_comes_before_what_was_put_meanwhile() -> None:
    made = Made()
    made.stream.put(b"3")
    made.stream.begin([b"1", b"2"])
    made.stream.put(b"4")
    assert made.rest() == b"1234"
    assert not made.stream.ended


def test_its_carrier_is_woken_once_for_all_that_it_has_not_taken_yet() -> None:
    made = Made()
    for _ in range(100):
        made.stream.put(b"x")
    assert made.woken == 1
    assert len(made.rest()) == 100
    made.stream.put(b"x")
    assert made.woken == 2


def test_a_reader_that_is_too_far_behind_is_told_that_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_stream, "LONGEST_QUEUE", 10)
    made = Made()
    made.stream.begin([b"never said"])
    for _ in range(20):
        made.stream.put(b"x")
    last = made.rest()
    assert last.startswith(b'{"type":"ERROR"') and b'"omni-unreachable"' in last
    assert made.stream.ended


def test_an_error_comes_after_what_was_put_before_it() -> None:
    made = Made()
    made.stream.put(b"x")
    made.stream.fail(Problem(410, "gone"))
    made.stream.put(b"y")
    said = made.rest()
    assert said.startswith(b'x{"type":"ERROR"') and b'"gone"' in said and b"y" not in said.partition(b"\n")[2]
    assert made.stream.ended


def test_an_end_leaves_unsaid_what_waits() -> None:
    made = Made()
    made.stream.begin([b"1"])
    made.stream.put(b"2")
    made.stream.end()
    assert (made.rest(), made.stream.ended) == (b"", True)


def test_it_beats_when_it_has_said_nothing_for_long() -> None:
    made = Made(heartbeat=10)
    made.stream.attend(time.monotonic(), at_once)
    assert made.rest() == b""
    made.stream.attend(time.monotonic() + 20, at_once)
    assert made.rest() == BEAT


def test_it_ends_at_its_greatest_age_with_all_said() -> None:
    made = Made(max_age=0.0)
    made.stream.put(b"x")
    made.stream.attend(time.monotonic(), at_once)
    assert (made.rest(), made.stream.ended) == (b"x", True)


def test_it_ends_when_its_caller_is_not_proved_any_more_and_is_looked_at_once_at_a_time() -> None:
    looks: list[Callable[[], None]] = []
    made = Made(proved=lambda: False)
    for _ in range(3):
        made.stream.attend(time.monotonic() + 2 * stream_response.PROVED_SECONDS, looks.append)
    (look,) = looks
    look()
    assert b'"unauthenticated"' in made.rest()
    assert made.stream.ended


def test_it_is_closed_once() -> None:
    made = Made()
    made.stream.close()
    made.stream.close()
    made.stream.put(b"x")
    assert (made.closed, made.rest()) == (1, b"")


def test_a_thread_that_carries_it_waits_for_what_comes_and_ends_with_a_stop() -> None:
    made, said = Made(), []
    thread = threading.Thread(target=lambda: said.extend(made.stream.pieces()))
    made.stream.begin([b"1"])
    thread.start()
    made.stream.put(b"2")
    made.stream.fail(Problem(410, "gone"))
    thread.join(30)
    assert b"".join(said).startswith(b'12{"type":"ERROR"')

    stopped = Made()
    ended: list[Any] = []
    thread = threading.Thread(target=lambda: ended.append(list(stopped.stream.pieces())))
    thread.start()
    while not ended and thread.is_alive():
        stream_response.close_all()
    thread.join(30)
    assert ended == [[]]
