"""When a request is there: not a byte too early, not a byte too late, however its bytes are cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni_gateway.server.error_responses import RequestRejected
from omni_gateway.server.request_buffer import RequestBuffer

LONGEST = 1000
BODIES = st.binary(max_size=60)


def with_length(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body


@st.composite
def in_chunks(draw: st.DrawFn) -> bytes:
    pieces = draw(st.lists(BODIES.filter(len), max_size=5))
    trailers = draw(st.sampled_from([b"", b"X: 1\r\n", b"X: 1\r\nY: 0\r\n"]))
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n" + trailers + b"\r\n"


REQUESTS = st.one_of(st.just(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), BODIES.map(with_length), in_chunks())


@given(request=REQUESTS, cuts=st.lists(st.integers(1, 40), max_size=20))
def test_a_request_is_complete_with_its_last_byte(request: bytes, cuts: list[int]) -> None:
    arrival = RequestBuffer(LONGEST)
    left = request
    for cut in [*cuts, len(request)]:
        piece, left = left[: min(cut, len(left) - 1)], left[min(cut, len(left) - 1) :]
        arrival.data += piece
        assert not arrival.complete()
    arrival.data += left
    assert arrival.complete()
    assert arrival.recv(10_000) == request


@given(first=REQUESTS, second=REQUESTS)
def test_what_comes_after_a_request_makes_no_difference(first: bytes, second: bytes) -> None:
    arrival = RequestBuffer(LONGEST)
    arrival.data += first + second
    assert arrival.complete()
    assert arrival.recv(len(first)) == first
    arrival.begin()
    assert arrival.complete()


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fall_over(data: bytes) -> None:
    arrival = RequestBuffer(LONGEST)
    for byte in b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + data:
        arrival.data.append(byte)
        try:
            if arrival.complete():
                return
        except RequestRejected:
            return


def test_beyond_the_last_byte_there_is_nothing_to_read() -> None:
    with pytest.raises(ConnectionResetError):
        RequestBuffer(LONGEST).recv(1)


@pytest.mark.parametrize(
    ("head", "unit"),
    [
        (b"GET / HTTP/1.1\r\nX: ", b"y" * 60_000),
        (b"POST / HTTP/1.1\r\nContent-Length: 60001\r\n\r\n", b"y" * 60_000),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\ny\r\n" * 10_000),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"y" * 60_000),
    ],
    ids=["head", "body", "chunks", "trailers"],
)
def test_bytes_that_come_one_by_one_cost_no_more_than_their_number(head: bytes, unit: bytes) -> None:
    arrival = RequestBuffer(100_000)
    arrival.data += head
    began = time.process_time()
    for byte in unit:
        arrival.data.append(byte)
        assert not arrival.complete()
    assert time.process_time() - began < 5.0  # a twentieth of this as a rule; a minute where time grows squared


@pytest.mark.parametrize("end", [b"b\r\n", b"\rb\n", b"b\n"])
def test_blanks_in_a_field_take_no_time(end: bytes) -> None:
    """The loop of a worker reads heads, of strangers too: by the square of their length it would be half a minute."""
    arrival = RequestBuffer(LONGEST)
    arrival.data += b"GET / HTTP/1.1\r\nContent-Length: a" + b" " * 60_000 + end + b"\r\n"
    began = time.process_time()
    assert arrival.complete()
    assert time.process_time() - began < 5.0


def test_blanks_around_a_length_do_not_count() -> None:
    arrival = RequestBuffer(LONGEST)
    arrival.data += b"POST / HTTP/1.1\r\nContent-Length: \t 3 \t\r\n\r\nab"
    assert not arrival.complete()
    arrival.data += b"c"
    assert arrival.complete()
