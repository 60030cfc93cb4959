"""Traces: when they are asked for, whose trace a request belongs to, and what a collector that is away costs."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from omni_gateway import tracing

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_traces_are_off_unless_a_variable_asks_for_them(environ: dict[str, str], wanted: bool) -> None:
    assert tracing.wanted(environ) is wanted


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"00-{TRACE}-{PARENT}-01", TRACE),
        (f"00-{TRACE}-{PARENT}-00", TRACE),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-brings", TRACE),
        (f"00-{TRACE}-{PARENT}-01-more", ""),
        (f"ff-{TRACE}-{PARENT}-01", ""),
        (f"00-{'0' * 32}-{PARENT}-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (f"00-{TRACE.upper()}-{PARENT}-01", ""),
        (f"00-{TRACE}-{PARENT}-01\n", ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_the_trace_is_that_of_a_valid_traceparent(header: str, trace: str) -> None:
    assert tracing.trace_id({"HTTP_TRACEPARENT": header}) == trace


def test_without_a_header_there_is_no_trace() -> None:
    assert tracing.trace_id({}) == ""


def test_a_call_has_no_span_while_traces_are_off() -> None:
    assert tracing.begin_call("x", {}).metadata() == ()


def test_off_nothing_of_opentelemetry_is_imported() -> None:
    program = (
        "import sys; from omni_gateway import tracing; tracing.start('1.0'); tracing.begin_call('x', {}).end();"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    ended = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("exporter", "missing", "words"),
    [
        ("otlp", "opentelemetry.sdk.resources", "install omni-gateway[otel]"),
        ("zipkin", "", "no package that is installed has the exporter zipkin"),
    ],
)
def test_a_missing_package_is_told_and_the_gateway_serves_without_traces(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, exporter: str, missing: str, words: str
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", exporter)
    if missing:
        monkeypatch.setitem(sys.modules, missing, None)
    tracing.start("1.0")
    [record] = caplog.records
    assert words in record.getMessage()
    assert not tracing.active()


@pytest.fixture
def collector_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Traces that go to a port at which nothing listens, of a queue with room for few."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
        tracing.start("1.0")
        yield
        tracing.stop()


class Collected(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def log() -> Iterator[list[logging.LogRecord]]:
    """What the root logger's handlers get; pytest's own get what does not propagate too."""
    root, handler = logging.getLogger(), Collected()
    logging.getLogger("omni_gateway.tracing").setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler.records
    root.removeHandler(handler)
    logging.getLogger("omni_gateway.tracing").setLevel(logging.NOTSET)


def test_a_collector_that_is_away_is_one_line_in_the_log_and_holds_up_no_request(
    collector_away: None, log: list[logging.LogRecord], wait_until: Callable[..., Any]
) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return [b""]

    traced = tracing.traced(application, skip=lambda environ: False)
    started = time.monotonic()

    def answer() -> None:
        environ = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "SERVER_NAME": "x"}
        traced(environ, None)
        tracing.end_request(
            environ, {"http.request.method": "GET", "http.route": "/x", "http.response.status_code": 200}
        )

    for _ in range(500):
        answer()
    took = time.monotonic() - started

    def attempts() -> int:
        return sum("Failed to export" in record.getMessage() for record in log)

    def three_attempts() -> bool:
        answer()
        return attempts() >= 3

    wait_until(three_attempts, 60, "three batches that could not be exported")
    lines = [record.getMessage() for record in log if record.levelno >= logging.INFO]
    assert len(lines) == 1
    assert lines[0].startswith("Traces cannot be exported, and are dropped until they can: Failed to export")
    assert took < 20  # 125 batches of a fifth of a second, if requests waited for them
