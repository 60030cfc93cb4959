"""Streams: bounded in number and age, with a beat, and ended when asked."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, request

from omni_gateway.http.problems import Problem
from omni_gateway.watch import stream_response
from omni_gateway.watch.stream_response import NDJSON, SSE, StreamEvent, StreamLimiter


class Source:
    """Gives what the test puts in; ends when its context is left."""

    def __init__(self) -> None:
        self.items: queue.Queue[object] = queue.Queue()
        self.left = False

    @contextmanager
    def open(self) -> Iterator[Iterator[StreamEvent]]:
        try:
            yield iter(self.items.get, None)  # type: ignore[arg-type]
        finally:
            self.left = True
            self.items.put(None)


@pytest.fixture
def source() -> Source:
    return Source()


def chunks(
    source: Source, limiter: StreamLimiter, media: str = SSE, **options: float
) -> tuple[stream_response.Response, Iterator[bytes]]:
    with Flask("x").test_request_context():
        response = stream_response.stream(source.open, media=media, limiter=limiter, **options)
    return response, iter(response.response)  # type: ignore[arg-type]


def test_an_event_is_written_with_its_type_its_resume_point_and_its_data(source: Source) -> None:
    source.items.put(StreamEvent("ADDED", b'{"id":"a"}', "p1"))
    response, body = chunks(source, StreamLimiter(1))
    assert next(body).startswith(b"retry:")
    assert next(body) == b'event: ADDED\nid: p1\ndata: {"id":"a"}\n\n'
    response.close()


def test_ndjson_tells_the_same_one_line_each(source: Source) -> None:
    source.items.put(StreamEvent("ADDED", b'{"id":"a"}', "p1"))
    response, body = chunks(source, StreamLimiter(1), NDJSON)
    next(body)
    assert next(body) == b'{"type":"ADDED","resume_point":"p1","object":{"id":"a"}}\n'
    response.close()


def test_while_nothing_happens_it_beats(source: Source) -> None:
    source.items.put(StreamEvent("BOOKMARK", b"{}"))
    response, body = chunks(source, StreamLimiter(1), heartbeat=0.01)
    next(body), next(body)
    assert next(body).startswith(b":")
    response.close()


def test_it_ends_at_its_greatest_age(source: Source) -> None:
    source.items.put(StreamEvent("BOOKMARK", b"{}"))
    _, body = chunks(source, StreamLimiter(1), heartbeat=0.01, max_age=0.05)
    assert len(list(body)) >= 2


def test_one_more_than_the_limit_is_refused_and_closing_makes_room(source: Source) -> None:
    limiter = StreamLimiter(1)
    source.items.put(StreamEvent("BOOKMARK", b"{}"))
    response, _ = chunks(source, limiter)
    with pytest.raises(Problem) as refused:
        chunks(Source(), limiter)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "5")
    response.close()
    again = Source()
    again.items.put(StreamEvent("BOOKMARK", b"{}"))
    chunks(again, limiter)[0].close()


def test_one_caller_cannot_take_what_is_there_for_all() -> None:
    limiter = StreamLimiter(3, per_caller=2)
    free = [limiter.take("greedy") for _ in range(2)]
    with pytest.raises(Problem) as refused:
        limiter.take("greedy")
    assert (refused.value.status, refused.value.code, refused.value.headers["Retry-After"]) == (
        429,
        "too-many-own-streams",
        "5",
    )
    limiter.take("modest")
    free[0]()
    free[0]()  # once is enough
    limiter.take("greedy")
    with pytest.raises(Problem) as full:
        limiter.take("third")
    assert full.value.status == 503


def test_closing_leaves_the_source(source: Source) -> None:
    source.items.put(StreamEvent("BOOKMARK", b"{}"))
    response, _ = chunks(source, StreamLimiter(1))
    response.close()
    assert source.left


def test_what_the_source_raises_at_once_becomes_the_status_and_frees_the_slot() -> None:
    @contextmanager
    def refusing() -> Iterator[Iterator[StreamEvent]]:
        def fail() -> Iterator[StreamEvent]:
            raise Problem(404, "not-found")
            yield

        yield fail()

    limiter = StreamLimiter(1)
    for _ in range(2):
        with Flask("x").test_request_context(), pytest.raises(Problem):
            stream_response.stream(refusing, media=SSE, limiter=limiter)


def test_what_it_raises_later_becomes_the_last_event() -> None:
    @contextmanager
    def failing() -> Iterator[Iterator[StreamEvent]]:
        def fail() -> Iterator[StreamEvent]:
            yield StreamEvent("BOOKMARK", b"{}")
            raise Problem(410, "gone")

        yield fail()

    with Flask("x").test_request_context():
        response = stream_response.stream(failing, media=NDJSON, limiter=StreamLimiter(1))
    last = list(response.response)[-1]
    assert b'"type":"ERROR"' in last and b'"code":"gone"' in last


def test_a_stop_of_the_process_ends_every_stream(source: Source) -> None:
    source.items.put(StreamEvent("BOOKMARK", b"{}"))
    _, body = chunks(source, StreamLimiter(1))
    next(body), next(body)
    stream_response.close_all()
    assert list(body) == []


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("text/event-stream", SSE),
        ("application/x-ndjson", NDJSON),
        ("*/*", None),
        ("application/json, text/event-stream;q=0.5", None),
        ("", None),
    ],
)
def test_a_stream_is_for_those_who_ask_for_one(accept: str, media: str | None) -> None:
    with Flask("x").test_request_context(headers={"Accept": accept}):
        assert stream_response.negotiate(request) == media


def test_head_never_opens_a_stream() -> None:
    with Flask("x").test_request_context(method="HEAD", headers={"Accept": SSE}):
        assert stream_response.negotiate(request) is None
