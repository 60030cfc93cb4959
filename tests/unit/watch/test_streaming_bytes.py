"""A stream of bytes that is idle: with a beat, a reader who has left is noticed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask

from omni_gateway.http.problems import Problem
from omni_gateway.watch import stream_response


@contextmanager
def idle(ended: threading.Event) -> Iterator[Iterator[bytes]]:
    """A source that has nothing to say until it is left."""

    def lines() -> Iterator[bytes]:
        ended.wait(20)
        yield from ()

    try:
        yield lines()
    finally:
        ended.set()


def test_an_idle_stream_beats_and_frees_its_place_when_it_is_left(bare: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_response, "FIRST_WORD_SECONDS", 0.01)
    monkeypatch.setattr(stream_response, "HEARTBEAT_SECONDS", 0.01)
    limiter, ended = stream_response.StreamLimiter(1), threading.Event()
    with bare.test_request_context():
        response = stream_response.stream_bytes(
            lambda: idle(ended), media="application/x-ndjson", limiter=limiter, beat=b"\n"
        )
        chunks = iter(response.response)
        said = [bytes(next(chunks)) for _ in range(4)]
        with pytest.raises(Problem):
            limiter.take("somebody")
        response.close()
    assert said == [b"", b"\n", b"\n", b"\n"]
    assert ended.is_set()
    limiter.take("somebody")


def test_an_error_in_the_middle_of_a_file_breaks_it_off(bare: Flask) -> None:
    @contextmanager
    def failing() -> Iterator[Iterator[bytes]]:
        def parts() -> Iterator[bytes]:
            yield b"half"
            raise RuntimeError("lost")

        yield parts()

    with bare.test_request_context():
        response = stream_response.stream_bytes(
            failing, media="application/zip", limiter=stream_response.StreamLimiter(1)
        )
    body = iter(response.response)
    assert (next(body), next(body)) == (b"", b"half")
    with pytest.raises(RuntimeError):
        next(body)
