"""Streams that the application hands over: the worker's loop carries them, and no thread waits for any of them."""

from __future__ import annotations

import http.client
import signal
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.proxy import certificate

from .conftest import DEADLINE, Raw, Server

pytestmark = pytest.mark.slow

THREADS = 2
MANY = 300
SMALL = 32 * 1024
LARGE = 20_000_000


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    return start(threads=THREADS, max_streams=1)


@pytest.fixture(scope="module")
def hasty(start: Callable[..., Server]) -> Server:
    return start(threads=THREADS, max_streams=1, answer_timeout=1)


class Listener:
    """A client of a stream, who has read its first word."""

    def __init__(self, connection: Raw, query: str = "", version: str = "1.1") -> None:
        self.connection = connection
        connection.send(f"GET /carried?{query} HTTP/{version}\r\nHost: a\r\n\r\n".encode())
        self.response = http.client.HTTPResponse(connection._answers)  # type: ignore[arg-type]
        self.response.begin()
        self.until(b"begun\n")

    def until(self, mark: bytes) -> bytes:
        return until(self.response, mark)

    def leave(self) -> None:
        self.connection.socket.shutdown(socket.SHUT_RDWR)

    def rest(self) -> bytes:
        """Read to the end; an error where the answer breaks off."""
        return self.response.read()


def until(response: http.client.HTTPResponse, mark: bytes) -> bytes:
    """Read until a mark has come."""
    data = bytearray()
    while data.find(mark, max(0, len(data) - 65536 - len(mark))) < 0:
        piece = response.read1(65536)
        assert piece, data[-100:]
        data += piece
    return bytes(data)


def tell(server: Server, text: bytes) -> int:
    """Have all open streams told something; return how many there are."""
    head = b"POST /tell HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(text)
    return int(server.connect().send(head + text).text())


def state(server: Server) -> tuple[int, int]:
    """Return how many streams are open, and how many threads the worker has."""
    streams, threads = server.get("/state").split()
    return int(streams), int(threads)


def test_hundreds_are_held_by_no_thread_and_each_is_told_everything(
    server: Server, wait_until: Callable[..., Any]
) -> None:
    wait_until(lambda: state(server)[0] == 0)
    listeners = [Listener(server.connect()) for _ in range(MANY)]
    streams, threads = state(server)
    assert (streams, threads <= THREADS + 4) == (MANY, True)
    for number in range(20):
        assert tell(server, b"<%d>" % number) == MANY
    whole = b"".join(b"<%d>" % number for number in range(20))
    assert {listener.until(b"<19>") for listener in listeners} == {whole}
    for listener in listeners:
        listener.leave()
    wait_until(lambda: state(server)[0] == 0, what="the slots of those who left")


def test_what_is_there_at_first_is_sent_whole_before_what_comes_after(server: Server) -> None:
    listener = Listener(server.connect(), f"begin={LARGE}")
    tell(server, b"<after>")
    assert listener.until(b"<after>") == bytes(LARGE // 65536 * 65536) + b"<after>"
    listener.leave()


def test_a_reader_that_reads_nothing_is_cut_off_and_holds_nobody_up(
    hasty: Server, wait_until: Callable[..., Any]
) -> None:
    slow = [Listener(hasty.connect(receive_buffer=SMALL), f"begin={LARGE}") for _ in range(3 * THREADS)]
    quick = Listener(hasty.connect())
    tell(hasty, b"<to all>")
    quick.until(b"<to all>")
    wait_until(lambda: state(hasty)[0] == 1, what="only the quick one to be left")
    for one in slow:
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            one.rest()
    tell(hasty, b"<to one>")
    quick.until(b"<to one>")
    quick.leave()


def test_a_reader_that_is_slow_but_reads_is_not_cut_off(start: Callable[..., Server]) -> None:
    server = start(threads=THREADS, max_streams=1, answer_timeout=3)
    listener = Listener(server.connect(), f"begin={2 * LARGE}")
    for _ in range(10):  # the one thing that is tested here is that time passes
        listener.response.read(LARGE // 10)
        time.sleep(0.5)
    tell(server, b"<still there>")
    listener.until(b"<still there>")
    listener.leave()


def test_a_stream_that_ends_is_whole_and_its_connection_goes_on(server: Server) -> None:
    listener = Listener(server.connect(), "age=0.1")
    listener.connection.send(b"GET /ahead HTTP/1.1\r\nHost: a\r\n\r\n")
    assert listener.rest() == b""
    assert listener.connection.text().startswith("GET /ahead")
    assert listener.connection.send(b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n").text().startswith("GET /after")


def test_a_stream_to_an_old_client_ends_with_its_connection(server: Server) -> None:
    listener = Listener(server.connect(), "age=2", version="1.0")
    assert "Transfer-Encoding" not in listener.response.headers
    tell(server, b"<told>")
    assert listener.rest() == b"<told>"
    assert listener.connection.ended()


def test_it_beats_while_there_is_nothing_to_say(server: Server) -> None:
    listener = Listener(server.connect(), "heartbeat=0.1")
    assert listener.until(b"heartbeat\n\n") == b": heartbeat\n\n"
    listener.leave()


def test_it_ends_with_an_error_when_its_caller_is_not_proved_any_more(server: Server) -> None:
    listener = Listener(server.connect(), "refused=0.1")
    assert b"event: ERROR" in (last := listener.rest()) and b'"unauthenticated"' in last


def test_a_client_that_sends_more_than_a_request_meanwhile_is_left(server: Server) -> None:
    listener = Listener(server.connect())
    try:
        listener.connection.send(b"x" * 10_000_000)
    except OSError:
        return
    assert listener.connection.ended()


def test_a_stop_ends_streams_in_good_order_and_waits_for_none(start: Callable[..., Server]) -> None:
    server = start(threads=THREADS, max_streams=1)
    listeners = [Listener(server.connect()) for _ in range(50)]
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert [listener.rest() for listener in listeners] == [b""] * 50
    server.process.wait(DEADLINE)
    assert time.monotonic() - began < 15


def test_half_of_the_connections_are_kept_for_requests(start: Callable[..., Server]) -> None:
    server = start(files=100, threads=THREADS, max_streams=1)
    listeners = []
    while True:
        connection = server.connect().send(b"GET /carried HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = http.client.HTTPResponse(connection._answers)  # type: ignore[arg-type]
        answer.begin()
        if answer.headers["Content-Length"]:
            break  # it was not offered to be carried, so it was answered like anything else
        listeners.append(connection)
    assert 30 <= len(listeners) <= 45
    assert server.get("/1", timeout=10).startswith("GET /1")


def test_streams_are_carried_over_tls(start: Callable[..., Server], tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    server = start(threads=THREADS, max_streams=1, tls_cert_file=cert, tls_key_file=key)
    context = ssl.create_default_context(cafile=str(cert))

    def ask(method: str, path: str, body: bytes = b"") -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=DEADLINE)
        connection.request(method, path, body=body)
        return connection.getresponse()

    streams = [ask("GET", f"/carried?begin={LARGE // 10}") for _ in range(3 * THREADS)]
    for stream in streams:
        until(stream, b"begun\n")
    told = b"<%b>" % (b"x" * 1_000_000)
    assert ask("POST", "/tell", told).read() == str(3 * THREADS).encode()
    assert all(until(stream, b">").endswith(told) for stream in streams)
    streams.pop().close()
    deadline = time.monotonic() + DEADLINE
    while ask("GET", "/state").read().split()[0] != str(3 * THREADS - 1).encode():
        assert time.monotonic() < deadline
    server.process.send_signal(signal.SIGTERM)
    assert [stream.read() for stream in streams] == [b""] * len(streams)
