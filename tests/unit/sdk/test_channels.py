"""One watch for all who ask the same: followed once, written once, closed when the last one leaves."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import grpc
import pytest

from omni_gateway.model.query import Change, Fed
from omni_gateway.model.resource import Resource
from omni_gateway.omni.errors import Unavailable
from omni_gateway.watch import stream_response
from omni_gateway.watch.broadcaster import Broadcaster, Broadcasters
from omni_gateway.watch.push_stream import PushStream
from omni_gateway.watch.resume_token import ResumePoint

NDJSON = stream_response.FORMS[stream_response.NDJSON]


class Source:
    """A watch that is told what it tells; it begins with ``present``."""

    def __init__(self, *present: Resource) -> None:
        self.changes: deque[Change | Exception] = deque(
            [*(Change("added", one) for one in present), Change("bookmark")]
        )
        self.left = self.rendered = self.opened = 0
        self._wake: Callable[[], None] = lambda: None

    def told_by(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def __iter__(self) -> Source:
        return self

    def __next__(self) -> Change:
        if not self.changes:
            return Change("idle")
        change = self.changes.popleft()
        if isinstance(change, Exception):
            raise change
        return change

    def tell(self, *changes: Change | Exception) -> None:
        self.changes.extend(changes)
        self._wake()

    def channel(self) -> Broadcaster:
        self.opened += 1
        opened = ExitStack()
        opened.callback(self._leave)
        return Broadcaster(Fed(self, self), opened, self._render, NDJSON)

    def _leave(self) -> None:
        self.left += 1

    def _render(self, resource: Resource) -> bytes:
        self.rendered += 1
        return json.dumps({"id": resource.id}).encode()


def watcher() -> PushStream:
    return PushStream(NDJSON, proved=lambda: True, closed=lambda: None, heartbeat=3600, max_age=3600)


def events(stream: PushStream, wait_until: Callable[..., Any], count: int) -> list[Any]:
    said = bytearray()

    def enough() -> bool:
        said.extend(stream.take())
        return said.count(b"\n") >= count

    wait_until(enough)
    return [json.loads(line) for line in said.splitlines()]


def point_of(*resources: Resource) -> str:
    return str(ResumePoint.of(resources))


A, B = (Resource(id, created="2026-01-01T00:00:00Z").shared() for id in "ab")


def test_each_change_is_written_once_for_all_with_the_point_that_a_list_would_have(
    wait_until: Callable[..., Any],
) -> None:
    channels, source = Broadcasters(), Source(A)
    members = [watcher() for _ in range(50)]
    joined = [channels.join("question", member, source.channel) for member in members]
    assert {(tuple(one.id for one in present), str(point)) for present, point, _ in joined} == {(("a",), point_of(A))}

    source.tell(Change("added", B), Change("deleted", A))
    told = [events(member, wait_until, 2) for member in members]

    assert told == [told[0]] * 50
    assert [(event["type"], event["object"]["id"], event["resume_point"]) for event in told[0]] == [
        ("ADDED", "b", point_of(A, B)),
        ("DELETED", "a", point_of(B)),
    ]
    assert (source.opened, source.rendered) == (1, 2)


def test_who_comes_late_begins_with_all_that_was_told_by_then() -> None:
    channels, source = Broadcasters(), Source(B)
    channels.join("question", watcher(), source.channel)
    source.changes.append(Change("added", A))  # told, and nobody woken yet
    present, point, _ = channels.join("question", watcher(), source.channel)
    assert ([one.id for one in present], str(point)) == (["a", "b"], point_of(A, B))


def test_another_question_is_another_channel() -> None:
    channels, one, other = Broadcasters(), Source(A), Source(B)
    assert [each.id for each in channels.join("one", watcher(), one.channel)[0]] == ["a"]
    assert [each.id for each in channels.join("other", watcher(), other.channel)[0]] == ["b"]


def test_the_watch_is_left_when_the_last_one_leaves_and_opened_again_for_the_next(
    wait_until: Callable[..., Any],
) -> None:
    channels, source = Broadcasters(), Source(A)
    leave = [channels.join("question", watcher(), source.channel)[2] for _ in range(2)]
    leave[0]()
    leave[0]()
    assert source.left == 0
    leave[1]()
    wait_until(lambda: source.left == 1)
    channels.join("question", watcher(), Source(B).channel)
    assert source.left == 1


def test_what_ends_the_watch_is_told_to_all_and_the_next_one_begins_anew(wait_until: Callable[..., Any]) -> None:
    channels, source = Broadcasters(), Source(A)
    members = [watcher() for _ in range(3)]
    for member in members:
        channels.join("question", member, source.channel)
    source.tell(Unavailable(grpc.StatusCode.UNAVAILABLE, "it ended", "Watch"))
    for member in members:
        (last,) = events(member, wait_until, 1)
        assert (last["type"], last["object"]["code"]) == ("ERROR", "omni-unreachable")
    wait_until(lambda: source.left == 1)
    assert [one.id for one in channels.join("question", watcher(), Source(B).channel)[0]] == ["b"]


def test_what_a_new_watch_raises_at_once_is_its_callers_to_know() -> None:
    source = Source()
    source.changes.appendleft(Unavailable(grpc.StatusCode.UNAVAILABLE, "it ended", "Watch"))
    with pytest.raises(Unavailable):
        Broadcasters().join("question", watcher(), source.channel)
    assert source.left == 1


def test_who_leaves_before_the_one_is_in_for_whom_the_watch_was_opened_does_not_end_it(
    wait_until: Callable[..., Any],
) -> None:
    source, quick, maker = Source(A), watcher(), watcher()
    channel = source.channel()
    channel.join(quick, maker=False)
    left: list[bool] = []
    channel.leave(quick, lambda: left.append(channel.close_if_empty()))
    wait_until(lambda: left == [False])
    assert [one.id for one in channel.join(maker, maker=True)[0]] == ["a"]
    channel.leave(maker, lambda: left.append(channel.close_if_empty()))
    wait_until(lambda: left == [False, True])
    assert source.left == 1
