"""Clients that take their time hold no thread, and nobody else up."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from omni_gateway.server.application import GRACEFUL_SECONDS

from .conftest import DEADLINE, Raw, Server

pytestmark = pytest.mark.slow

HEAD = b"POST /slow HTTP/1.1\r\nHost: a\r\n"
BODY = HEAD + b"Content-Length: 1000\r\n\r\nx"
THREADS = 2
SMALL = 32 * 1024


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    """With two threads only: three clients that held one each would be noticed."""
    return start(threads=THREADS, max_streams=1)


@pytest.fixture(scope="module")
def hasty(start: Callable[..., Server]) -> Server:
    return start(threads=THREADS, max_streams=1, request_timeout=1, answer_timeout=1)


@pytest.mark.parametrize("beginning", [b"", b"POST", HEAD, BODY], ids=["nothing", "a word", "a head", "a body"])
def test_two_hundred_clients_that_stop_on_the_way_hold_nobody_up(server: Server, beginning: bytes) -> None:
    slow = [server.connect().send(beginning) for _ in range(200)]
    started = time.monotonic()
    assert [server.get(f"/{number}").split()[1] for number in range(20)] == [f"/{number}" for number in range(20)]
    assert time.monotonic() - started < server_deadline()
    for one in slow:
        one.close()


def server_deadline() -> float:
    """Far less than a slow client has, far more than a loaded machine needs for twenty small answers."""
    return 15.0


def test_slow_clients_are_served_in_the_end(server: Server) -> None:
    slow = [server.connect().send(BODY) for _ in range(20)]
    for one in slow:
        one.send(b"x" * 999)
    assert [one.text().split()[2] for one in slow] == ["1000"] * 20


def test_readers_that_read_nothing_hold_nobody_up_and_lose_nothing(server: Server) -> None:
    size = 8_000_000
    request = b"GET /zeros?size=%d HTTP/1.1\r\nHost: a\r\n\r\n" % size
    slow = [server.connect(receive_buffer=SMALL).send(request) for _ in range(3 * THREADS)]
    assert server.get("/1", timeout=10).startswith("GET /1")
    assert [len(one.text()) for one in slow] == [size] * len(slow)
    assert slow[0].send(b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n").text().startswith("GET /after")


@pytest.mark.parametrize("beginning", [b"POST", HEAD, BODY], ids=["a word", "a head", "a body"])
def test_a_request_that_does_not_end_in_time_is_answered_408(hasty: Server, beginning: bytes) -> None:
    connection = hasty.connect().send(beginning)
    assert connection.problem() == (408, "request-timeout")
    assert connection.ended()


def test_a_byte_now_and_then_buys_no_time(hasty: Server) -> None:
    connection = hasty.connect().send(HEAD)
    deadline = time.monotonic() + DEADLINE
    connection.socket.settimeout(0.1)
    while time.monotonic() < deadline:
        try:
            connection.send(b"X")
            answer = connection.socket.recv(12)
            break
        except TimeoutError:
            continue
    assert answer == b"HTTP/1.1 408"


def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(hasty: Server) -> None:
    assert hasty.connect().ended()


def test_an_answer_that_is_not_read_in_time_is_given_up(hasty: Server) -> None:
    connection = hasty.connect(receive_buffer=SMALL)
    connection.send(b"GET /zeros?size=50000000 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert connection.socket.recv(1, socket.MSG_PEEK)
    time.sleep(3)  # the one thing that is tested here is that time passes
    assert received(connection) < 50_000_000


def test_a_stream_that_is_not_read_gives_its_thread_back(hasty: Server) -> None:
    request = b"GET /stream?size=100000 HTTP/1.1\r\nHost: a\r\n\r\n"
    slow = [hasty.connect(receive_buffer=SMALL).send(request) for _ in range(THREADS)]
    assert hasty.get("/1").startswith("GET /1")
    hasty.get("/work?seconds=2")  # the last of them may have begun a little later: who reads in time is not cut off
    assert all(received(one) for one in slow)


def received(connection: Raw) -> int:
    """Return how many bytes still come before the connection ends."""
    total = 0
    try:
        while piece := connection.socket.recv(1_000_000):
            total += len(piece)
    except ConnectionResetError:
        pass
    return total


def test_a_stop_waits_for_work_but_not_for_requests_that_are_still_coming(start: Callable[..., Server]) -> None:
    server = start(threads=THREADS, max_streams=1)
    for beginning in (b"", HEAD, BODY):
        server.connect().send(beginning)
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(server.get, "/work?seconds=1")
        begun(server)
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(DEADLINE)
        assert working.result() == "done"
    assert time.monotonic() - started < 15


def test_a_stop_that_comes_before_a_worker_has_begun_is_not_lost() -> None:
    command = [sys.executable, "-m", "tests.server.echo", "0", "STOPPED_AT_ONCE=1", "OMNI_GATEWAY_DRAIN=0"]
    started = time.monotonic()
    ended = subprocess.run(command, timeout=40, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    assert time.monotonic() - started < GRACEFUL_SECONDS - 5


def begun(server: Server) -> None:
    """Wait until the server has taken what was sent before."""
    assert server.get("/1").startswith("GET /1")


def test_a_worker_with_few_file_descriptors_holds_fewer_connections_and_goes_on(start: Callable[..., Server]) -> None:
    server = start(files=100, threads=THREADS, max_streams=1)
    flood = [server.connect().send(HEAD) for _ in range(300)]
    assert server.get("/1", timeout=10).startswith("GET /1")
    for one in flood:
        one.close()


def test_more_connections_than_a_worker_may_hold_push_out_those_that_waited_longest(
    start: Callable[..., Server],
) -> None:
    server = start(threads=THREADS, max_streams=1)
    first = server.connect().send(HEAD)
    flood = [server.connect().send(HEAD) for _ in range(4500)]
    assert server.get("/1", timeout=10).startswith("GET /1")
    assert first.ended()
    for one in flood:
        one.close()
