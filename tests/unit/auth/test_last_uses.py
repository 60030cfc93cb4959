"""When a token was used last is written by a thread of its own, at most once a minute."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from omni_gateway.auth import last_uses as module
from omni_gateway.auth.last_uses import LastUses
from omni_gateway.store import StoreUnavailable


class Tokens:
    """A store of tokens; it records the uses that are written, and fails where the test says so."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, threading.Thread]] = []
        self.written: list[tuple[str, datetime]] = []
        self.failure: Exception | None = None
        self.open = threading.Event()
        self.open.set()

    def used(self, id: str, moment: datetime) -> None:
        self.begun.append((id, threading.current_thread()))
        self.open.wait(10)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        self.written.append((id, moment))


@pytest.fixture
def tokens() -> Iterator[Tokens]:
    tokens = Tokens()
    yield tokens
    tokens.open.set()


@pytest.fixture
def pass_by(stop_time: Callable[[ModuleType], Callable[[float], None]]) -> Callable[[float], None]:
    return stop_time(module)


@pytest.fixture
def uses(tokens: Tokens, pass_by: Callable[[float], None]) -> LastUses:
    return LastUses(tokens)  # type: ignore[arg-type]


Wait = Callable[..., Any]


def ids(tokens: Tokens) -> list[str]:
    return [id for id, _ in tokens.written]


def test_a_use_is_written_with_its_time(uses: LastUses, tokens: Tokens, wait_until: Wait) -> None:
    uses.note("a")
    wait_until(lambda: tokens.written)
    assert ids(tokens) == ["a"]
    assert timedelta(0) <= datetime.now(UTC) - tokens.written[0][1] < timedelta(minutes=1)


def test_a_token_is_written_once_a_minute_and_others_are_too(
    uses: LastUses, tokens: Tokens, pass_by: Callable[[float], None], wait_until: Wait
) -> None:
    for after in (0, 59, 1):
        pass_by(after)
        uses.note("a")
        uses.note(last := f"b{after}")
        wait_until(lambda last=last: last in ids(tokens))
    assert sorted(ids(tokens)) == ["a", "a", "b0", "b1", "b59"]


def test_the_same_thread_writes_what_comes_later(uses: LastUses, tokens: Tokens, wait_until: Wait) -> None:
    for id in ("a", "b"):
        uses.note(id)
        wait_until(lambda id=id: id in ids(tokens))
    (_, first), (_, second) = tokens.begun
    assert first is second
    assert (first.name, first.daemon) == ("token-uses", True)


def test_an_idle_thread_ends_and_the_next_use_starts_another(
    uses: LastUses, tokens: Tokens, monkeypatch: pytest.MonkeyPatch, wait_until: Wait
) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    for id in ("a", "b"):
        uses.note(id)
        wait_until(lambda id=id: id in ids(tokens))
        wait_until(lambda: not tokens.begun[-1][1].is_alive())
    assert ids(tokens) == ["a", "b"]


def test_a_child_process_writes_by_a_thread_of_its_own(
    uses: LastUses, tokens: Tokens, monkeypatch: pytest.MonkeyPatch, wait_until: Wait
) -> None:
    """After a fork the parent's thread does not run: the process id is what shows it."""
    tokens.open.clear()
    uses.note("a")
    wait_until(lambda: tokens.begun)
    child = SimpleNamespace(getpid=lambda: os.getpid() + 1)
    monkeypatch.setattr(module, "os", child)
    uses.note("b")
    wait_until(lambda: len(tokens.begun) == 2)  # the first thread still waits for the store
    tokens.open.set()
    wait_until(lambda: sorted(ids(tokens)) == ["a", "b"])


def test_of_more_tokens_than_there_is_room_for_some_uses_are_not_written(
    uses: LastUses, tokens: Tokens, monkeypatch: pytest.MonkeyPatch, wait_until: Wait
) -> None:
    monkeypatch.setattr(module, "MOST_NOTED", 3)
    tokens.open.clear()
    uses.note("first")
    wait_until(lambda: not uses._waiting)
    for id in "abcde":
        uses.note(id)
    assert list(uses._waiting) == ["a", "b", "c"]
    assert len(uses._noted) <= 3
    tokens.open.set()
    wait_until(lambda: len(tokens.written) == 4)
    assert sorted(ids(tokens)) == ["a", "b", "c", "first"]


@pytest.mark.parametrize(
    ("failure", "level", "text"),
    [
        (StoreUnavailable("Away."), logging.DEBUG, "the last use of token a could not be written: Away."),
        (KeyError("defect"), logging.WARNING, "the last use of token a could not be written"),
    ],
)
def test_a_use_that_cannot_be_written_is_dropped_and_the_next_is_written(
    uses: LastUses,
    tokens: Tokens,
    failure: Exception,
    level: int,
    text: str,
    caplog: pytest.LogCaptureFixture,
    wait_until: Wait,
) -> None:
    tokens.failure = failure
    with caplog.at_level(logging.DEBUG, module.__name__):
        uses.note("a")
        wait_until(lambda: caplog.records)
        uses.note("b")
        wait_until(lambda: ids(tokens) == ["b"])
    assert [(each.levelno, each.getMessage(), bool(each.exc_info)) for each in caplog.records] == [
        (level, text, level == logging.WARNING)
    ]
