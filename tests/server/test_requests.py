"""Requests as they come over the wire: whole, in pieces, several at once, too large, and no requests at all."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator

import pytest

from .conftest import Raw, Server

LONGEST = 100_000
GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    return start(max_body_bytes=LONGEST)


@pytest.fixture
def raw(server: Server) -> Iterator[Raw]:
    connection = server.connect()
    yield connection
    connection.close()


def told(method: str, path: str, body: bytes = b"") -> str:
    return f"{method} {path} {len(body)} {hashlib.sha256(body).hexdigest()}"


def chunked(*pieces: bytes, trailers: bytes = b"", extension: bytes = b"") -> bytes:
    parts = [b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces]
    return b"".join([*parts, b"0\r\n", trailers, b"\r\n"])


def post(body: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([b"POST /p HTTP/1.1", b"Host: a", *fields, b"", body])


def test_a_connection_serves_one_request_after_the_other(raw: Raw) -> None:
    assert [raw.send(GET % number).text() for number in range(3)] == [told("GET", f"/{n}") for n in range(3)]


def test_requests_that_come_at_once_are_answered_in_their_order(raw: Raw) -> None:
    raw.send(GET % 1 + post(b"abc", b"Content-Length: 3") + GET % 2)
    assert [raw.text(), raw.text(), raw.text()] == [told("GET", "/1"), told("POST", "/p", b"abc"), told("GET", "/2")]


def test_the_beginning_of_the_next_request_may_come_with_the_end_of_this_one(raw: Raw) -> None:
    following = GET % 2
    raw.send(GET % 1 + following[:10])
    assert raw.text() == told("GET", "/1")
    assert raw.send(following[10:]).text() == told("GET", "/2")


@pytest.mark.parametrize(
    "request_",
    [
        post(b"hello world", b"Content-Length: 11"),
        post(chunked(b"hello", b" ", b"world"), b"Transfer-Encoding: chunked"),
        post(chunked(b"hello world", trailers=b"X-Sum: 1\r\nX-More: 2\r\n"), b"Transfer-Encoding: chunked"),
        post(chunked(b"hello ", b"world", extension=b";a=b"), b"TRANSFER-ENCODING: Chunked"),
        post(b"hello world", b"content-length:11", b"Connection: keep-alive"),
    ],
)
def test_a_body_arrives_whatever_the_pieces_it_comes_in(raw: Raw, request_: bytes) -> None:
    for byte in request_[:-1]:
        raw.send(bytes([byte]))
    raw.send(request_[-1:] + GET % 7)
    assert (raw.text(), raw.text()) == (told("POST", "/p", b"hello world"), told("GET", "/7"))


def test_a_body_of_the_greatest_size_arrives(raw: Raw) -> None:
    body = b"x" * LONGEST
    raw.send(post(body, b"Content-Length: %d" % LONGEST))
    assert raw.text() == told("POST", "/p", body)


def test_a_body_that_nobody_reads_is_not_taken_for_the_next_request(raw: Raw) -> None:
    inner = GET % 666
    raw.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(inner) + inner + GET % 3)
    assert (raw.text(), raw.text()) == ("not read", told("GET", "/3"))


def test_a_client_that_waits_to_be_told_to_go_on_is_told(raw: Raw) -> None:
    raw.send(post(b"", b"Content-Length: 5", b"Expect: 100-continue"))
    assert raw.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert raw.send(b"hello").text() == told("POST", "/p", b"hello")


def test_a_client_that_waits_with_too_large_a_body_is_told_so_at_once(raw: Raw) -> None:
    raw.send(post(b"", b"Content-Length: %d" % (LONGEST + 1), b"Expect: 100-continue"))
    assert raw.problem() == (413, "too-large")


def test_http_1_0_is_answered_and_closed(raw: Raw) -> None:
    assert raw.send(b"GET /old HTTP/1.0\r\n\r\n").text() == told("GET", "/old")
    assert raw.ended()


def test_a_client_that_asks_to_close_is_closed_and_costs_the_others_nothing(server: Server, raw: Raw) -> None:
    lingering = [server.connect().send(b"GET /bye HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") for _ in range(20)]
    assert [one.text() for one in lingering] == [told("GET", "/bye")] * 20
    assert server.get("/1", timeout=1.5) == told("GET", "/1")  # none of them has closed its side


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000, 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 17_000 + b"\r\n\r\n", 431, "headers-too-large"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 65 + b"\r\n", 431, "headers-too-large"),
        (b"GET /?" + b"q" * 8200 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "uri-too-long"),
        (post(b"", b"Content-Length: %d" % (LONGEST + 1)), 413, "too-large"),
        (post(b"", b"Content-Length: 99999999999999999999999"), 413, "too-large"),
        (post(b"%x\r\n" % (LONGEST + 1), b"Transfer-Encoding: chunked"), 413, "too-large"),
        (post(chunked(*[b"x" * 50_001] * 2), b"Transfer-Encoding: chunked"), 413, "too-large"),
        (post(b"zz\r\n", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"-5\r\n", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"1" * 300, b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"5\r\nhelloXX0\r\n\r\n", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"5\r\nhello\n0\r\n\r\n", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"5\nhello\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"5;a=\x00\r\nhello\r\n0\r\n\r\n", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"0\r\nno trailer\r\n\r\n", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"0\r\nX : 1\r\n\r\n", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"0\r\nX: 1\n\n", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"ffffffffffffffff\r\n", b"Transfer-Encoding: chunked"), 413, "too-large"),
        (post(b"1ffffffffffffffff\r\n", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"abc", b"Content-Length: 3", b"Content-Length: 4"), 400, "bad-request"),
        (post(chunked(b"abc"), b"Content-Length: 3", b"Transfer-Encoding: chunked"), 400, "bad-request"),
        (post(b"abc", b"Content-Length: +3"), 400, "bad-request"),
        (post(b"abc", b"Content-Length: -3"), 400, "bad-request"),
        (post(b"abc", b"Content-Length : 3"), 400, "bad-request"),
        (post(b"abc", b"Transfer-Encoding: cow"), 501, "not-implemented"),
        (post(b"abc", b"Content-Length: 3", b"Expect: miracles"), 417, "bad-request"),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400, "bad-request"),
        (b"nonsense\r\n\r\n", 400, "bad-request"),
        (b"\r\n\r\n\r\n", 400, "bad-request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\n\r\n", 400, "bad-request"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad-request"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
def test_what_cannot_be_taken_is_refused_with_a_problem_document_and_the_connection_ends(
    server: Server, raw: Raw, request_: bytes, status: int, code: str
) -> None:
    raw.send(request_)
    assert raw.problem() == (status, code)
    assert raw.ended()


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /p HTTP/1.1\r\nHost",
        post(b"abc", b"Content-Length: 4"),
        post(b"5\r\nhel", b"Transfer-Encoding: chunked"),
        post(b"5\r\nhello\r\n", b"Transfer-Encoding: chunked"),
        post(b"5\r\nhello\r\n0\r\n", b"Transfer-Encoding: chunked"),
    ],
    ids=["head", "body", "chunk", "no last chunk", "no end of the trailers"],
)
def test_a_request_that_ends_before_its_end_is_refused(raw: Raw, request_: bytes) -> None:
    raw.send(request_).socket.shutdown(socket.SHUT_WR)
    answer = raw.answer()
    assert (answer.status, answer.headers["Connection"]) == (400, "close")


def test_a_large_body_that_nobody_reads_does_not_end_the_connection(raw: Raw) -> None:
    body = b"x" * LONGEST
    raw.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    answer = raw.answer()
    assert (answer.text, answer.headers["Connection"]) == ("not read", "keep-alive")
    assert raw.send(GET % 3).text() == told("GET", "/3")


def test_a_refusal_repeats_nothing_that_was_sent(raw: Raw) -> None:
    raw.send(b"GET / HTTP/1.1\r\nAuthorization Bearer s3cret\r\n\r\n")
    assert "s3cret" not in raw.text()


def test_nothing_names_the_server_behind_the_gateway(raw: Raw) -> None:
    assert raw.send(GET % 1).answer().headers["Server"] == "omni-gateway"


def test_a_chunked_body_in_the_smallest_pieces_is_taken_in_no_more_than_linear_time(server: Server, raw: Raw) -> None:
    raw.send(post(chunked(*[b"x"] * 20_000), b"Transfer-Encoding: chunked"))
    assert raw.text() == told("POST", "/p", b"x" * 20_000)
