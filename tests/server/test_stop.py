"""SIGTERM: first the load balancers turn away, then the server stops, and no request is lost."""

from __future__ import annotations

import http.client
import signal
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from .conftest import Raw, Server

pytestmark = pytest.mark.timeout(300)

REQUEST = b"GET /one HTTP/1.1\r\nHost: gateway\r\n\r\n"
CALLERS = 4
#: Of what a busy machine takes its time for.
SECONDS = 90.0


def answer_to(server: Server) -> http.client.HTTPResponse:
    """Return the answer to a request that does not ask for the end of its connection."""
    caller = Raw(server.port).send(REQUEST)
    answer = caller.answer()
    caller.close()
    return answer


def test_a_draining_server_answers_and_closes_connections_until_a_second_signal(
    start: Callable[..., Server], wait_until: Callable[..., Any]
) -> None:
    server = start(drain=3600)
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: answer_to(server).headers["Connection"] == "close", SECONDS, "the drain")
    assert answer_to(server).status == 200
    assert server.process.poll() is None
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(SECONDS) == 0


def test_ctrl_c_does_not_drain(start: Callable[..., Server]) -> None:
    server = start(drain=3600)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(SECONDS) == 0


def test_a_connection_is_served_or_refused_and_never_broken_at_a_stop(
    start: Callable[..., Server], wait_until: Callable[..., Any]
) -> None:
    """A proxy sends a request to the next server if it could not connect; it may not if it has sent a write."""
    server = start(workers=2, drain=0.5)
    served: list[int] = []
    broken: list[str] = []

    def call_on() -> None:
        while True:
            try:
                connection = Raw(server.port)
            except OSError:
                return
            try:
                served.append(connection.send(REQUEST).answer().status)
            except (OSError, http.client.HTTPException) as error:
                broken.append(repr(error))
            connection.close()

    callers = [Thread(target=call_on) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    wait_until(lambda: len(served) > 10 * CALLERS, SECONDS, "some answers")
    server.process.send_signal(signal.SIGTERM)
    for caller in callers:
        caller.join(SECONDS)

    assert broken == []
    assert set(served) == {200}
    assert server.process.wait(SECONDS) == 0
