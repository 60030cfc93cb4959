"""``make bench TARGET=…`` before a server that is not ours: what it does not serve is told, nothing is waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import __main__ as bench
from benchmarks.processes import Target
from benchmarks.speed_load import NotServedError, answer
from benchmarks.speed_parts import ANSWERS_WITHOUT_A_WORD, warm_up
from benchmarks.speed_rows import ONE, Cold, Warm, cold, warm
from benchmarks.speed_streams import Watchers
from omni_gateway.omni import OmniConfig
from omni_gateway.simulator.identity.keys import generate


class Foreign(BaseHTTPRequestHandler):
    """Serves one object, without ``ETag`` and ``Cache-Status``, and nothing else; it knows no streams."""

    asked = 0

    def do_GET(self) -> None:
        Foreign.asked += 1
        found = self.path in (ONE, "/api/v1/machineclasses")
        self.send_response(200 if found else 501)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def foreign() -> Iterator[Target]:
    Foreign.asked = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        key = generate("nobody", "nobody@example.com").encoded
        yield Target("127.0.0.1", server.server_port, "", OmniConfig("http://127.0.0.1:1", key), None, None)
        server.shutdown()


def test_a_row_that_is_not_served_says_so(foreign: Target) -> None:
    read = Warm("list of things", "/api/v1/things", 8)

    row = warm(read, foreign, foreign, 1, 1, "", inside=True)

    assert row.split("not served:")[1].strip() == "501 Not Implemented"
    assert row.startswith("list of things, 8 conn.")


def test_a_cold_row_that_is_not_served_says_so(foreign: Target) -> None:
    row = cold(Cold("cold list", "/api/v1/things", "list", 1), foreign, 1, 1)

    assert "not served: 501" in row


def test_a_conditional_read_of_a_server_without_etags_is_not_served(foreign: Target) -> None:
    assert "not served: no ETag" in warm(Warm("304", ONE, 8, tagged=True), foreign, foreign, 1, 1, "", inside=True)


def test_a_server_that_does_not_tell_of_a_cache_is_not_waited_for(foreign: Target) -> None:
    warm_up(foreign, ONE)

    assert Foreign.asked == ANSWERS_WITHOUT_A_WORD


def test_what_is_not_served_is_not_warmed_up(foreign: Target) -> None:
    warm_up(foreign, "/api/v1/things")

    assert Foreign.asked == 1


def test_a_server_that_answers_a_watch_with_a_list_serves_no_streams(foreign: Target) -> None:
    opened = Watchers()
    try:
        with pytest.raises(NotServedError, match="200 OK"):
            opened.open(foreign, 1)
    finally:
        opened.close()


def test_a_part_that_is_not_served_does_not_end_the_run(foreign: Target, capsys: pytest.CaptureFixture[str]) -> None:
    bench.attempt("changes", lambda: answer(foreign, "/api/v1/things"))

    assert capsys.readouterr().out == "changes: not served: 501 Not Implemented\n"
