"""More requests than threads: who is served, who waits, who is refused, and who is not begun any more."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from omni_gateway.server.error_responses import RequestRejected
from omni_gateway.server.request_queue import Bounds, RequestQueue, Waiting

from .conftest import Raw, Server

pytestmark = pytest.mark.slow

THREADS, OF_ONE_CALLER = 4, 3
WAITING = 6
#: Seconds that a request may wait for a thread: half of its time.
PATIENCE = 2.0


def asked(path: str, caller: str = "") -> bytes:
    credential = f"Authorization: Bearer {caller}\r\n" if caller else ""
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n{credential}\r\n".encode()


@pytest.fixture(scope="module")
def server(start: Callable[..., Server]) -> Server:
    return start(threads=THREADS, max_streams=1, max_waiting=WAITING, omni_timeout=2 * PATIENCE)


def working(server: Server) -> int:
    """How many requests are in threads; a request for health, so it is answered at all times."""
    return int(server.get("/livez"))


@pytest.fixture
def hold(server: Server, wait_until: Callable[..., Any]) -> Iterator[Callable[..., list[Raw]]]:
    """Have requests of a caller hold threads, as many as it may have; they are released with the test."""
    held: list[Raw] = []

    def send(caller: str, count: int) -> list[Raw]:
        expected = working(server) + min(count, OF_ONE_CALLER)
        sent = [server.connect().send(asked("/hold", caller)) for _ in range(count)]
        held.extend(sent)
        wait_until(lambda: working(server) == expected)
        return sent

    yield send

    def all_are_answered() -> bool:
        """Release those that hold a thread now: one that waited takes a thread after others were released."""
        release(server)
        answered, _, _ = select.select([each.socket for each in held], [], [], 0)
        return len(answered) == len(held)

    wait_until(all_are_answered)
    wait_until(lambda: working(server) == 0)


def release(server: Server) -> None:
    server.get("/livez?release")


def test_all_threads_run_before_the_first_request(start: Callable[..., Server]) -> None:
    fresh = start(threads=12)
    _, threads = fresh.get("/state").split()
    assert int(threads) >= 1 + 12 + 1  # the loop, requests, health


def test_health_is_answered_while_all_threads_are_busy(server: Server, hold: Callable[..., list[Raw]]) -> None:
    hold("a", 3)
    hold("b", 1)
    assert [server.get(path, timeout=5) != "" for path in ("/livez", "/readyz", "/health?x=1")] == [True] * 3
    assert working(server) == THREADS


def test_one_caller_leaves_a_thread_to_the_others(server: Server, hold: Callable[..., list[Raw]]) -> None:
    hold("a", OF_ONE_CALLER + 2)
    assert server.connect().send(asked("/1", "b")).text().startswith("GET /1")
    assert working(server) == OF_ONE_CALLER


def test_a_caller_without_a_credential_is_known_by_its_address(server: Server, hold: Callable[..., list[Raw]]) -> None:
    hold("", OF_ONE_CALLER + 1)
    assert server.connect().send(asked("/1", "b")).text().startswith("GET /1")
    assert working(server) == OF_ONE_CALLER


def test_beyond_what_may_wait_requests_are_refused_at_once(server: Server, hold: Callable[..., list[Raw]]) -> None:
    hold("a", OF_ONE_CALLER + WAITING // 2)
    own = server.connect().send(asked("/1", "a"))
    answer = own.answer()
    assert (answer.status, answer.headers["Retry-After"], answer.headers["Connection"]) == (429, "1", "close")
    assert own.ended()
    hold("b", 1)
    for name in ("c", "d", "e"):
        server.connect().send(asked("/1", name))
    assert server.connect().send(asked("/1", "f")).problem() == (503, "overloaded")


def test_a_request_whose_client_has_left_is_not_begun(server: Server, hold: Callable[..., list[Raw]]) -> None:
    hold("a", OF_ONE_CALLER)
    hold("b", 1)
    server.connect().send(asked("/note?text=gone", "c")).close()
    stays = server.connect().send(asked("/note?text=here", "c"))
    working(server)  # the worker's loop has seen what came before this
    release(server)
    assert stays.answer().status == 200
    noted = server.get("/noted").split()
    assert ("gone" in noted, "here" in noted) == (False, True)


def test_the_time_in_the_queue_counts_for_the_application(
    server: Server, hold: Callable[..., list[Raw]], wait_until: Callable[..., Any]
) -> None:
    hold("a", OF_ONE_CALLER)
    hold("b", 1)
    before = time.monotonic()
    waits = server.connect().send(asked("/note?text=arrived", "c"))
    working(server)
    sent = time.monotonic()
    wait_until(lambda: time.monotonic() > sent + 0.1)
    release(server)
    assert before <= float(waits.text()) <= sent


def test_who_has_waited_for_half_of_its_time_is_refused_and_nothing_was_done(
    server: Server, hold: Callable[..., list[Raw]]
) -> None:
    hold("a", OF_ONE_CALLER)
    hold("b", 1)
    began = time.monotonic()
    waits = server.connect().send(asked("/note?text=late", "c"))
    assert waits.problem() == (503, "overloaded")
    assert time.monotonic() - began >= PATIENCE
    release(server)
    assert "late" not in server.get("/noted")


BOUNDS = Bounds(threads=3, per_caller=2, waiting=4, waiting_per_caller=3, size=100)


def queued(queue: RequestQueue[str], *names: str, size: int = 0) -> list[Waiting[str]]:
    made = [Waiting(name, name[0], size, 0.0, 1.0, bool) for name in names]
    for request in made:
        if not queue.start_at_once(request):
            queue.add(request)
    return made


def test_callers_take_turns() -> None:
    queue: RequestQueue[str] = RequestQueue(BOUNDS)
    running = queued(queue, "a1", "a2", "a3", "a4", "b1", "b2", "c1")[:2]
    order = []
    while len(queue):
        queue.finished(running.pop(0))
        while (following := queue.next()) is not None:
            running.append(following)
            order.append(following.conn)
    assert order == ["a3", "b2", "c1", "a4"]


def test_large_bodies_wait_for_each_other_and_small_ones_for_none() -> None:
    queue: RequestQueue[str] = RequestQueue(BOUNDS)
    (first,) = queued(queue, "a1", size=80)
    queued(queue, "b1", size=30)
    queued(queue, "c1")
    assert [request.conn for request in queue] == ["b1"]
    queue.finished(first)
    following = queue.next()
    assert following is not None
    assert following.conn == "b1"


def test_a_body_larger_than_the_bound_finds_its_turn() -> None:
    queue: RequestQueue[str] = RequestQueue(BOUNDS)
    queued(queue, "a1", size=1000)
    assert not len(queue)


def test_a_request_that_has_left_the_queue_leaves_its_place_to_another() -> None:
    queue: RequestQueue[str] = RequestQueue(BOUNDS)
    requests = queued(queue, "a1", "a2", "a3", "a4", "a5")
    with pytest.raises(RequestRejected, match="too-many-own-requests"):
        queued(queue, "a6")
    queue.remove(requests[2])
    queued(queue, "a6")
    assert [request.conn for request in queue] == ["a4", "a5", "a6"]
