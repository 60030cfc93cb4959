"""A gateway whose log is JSON and whose spans go to a collector: what an operator sees of each request."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from omni_gateway.simulator.embedded import RunningSimulator, running_simulator
from omni_gateway.simulator.transport.interceptor import CallerInterceptor
from tests.e2e.conftest import Served, start_gateway, stop_gateway

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
LIST = "omni.resources.ResourceService/List"


class Collector(http.server.ThreadingHTTPServer):
    """A receiver of OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receive)
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, body: bytes) -> None:
        for each in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append({entry.key: entry.value.string_value for entry in each.resource.attributes})
            self.spans += [span for scope in each.scope_spans for span in scope.spans]

    def of(self, trace: str) -> list[Span]:
        return [span for span in self.spans if span.trace_id.hex() == trace]


class _Receive(http.server.BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.take(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@dataclass
class World:
    """A gateway, its collector, and the metadata of each call that its Omni has got."""

    served: Served
    collector: Collector
    simulator: RunningSimulator
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def get(self, path: str, **headers: str) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {self.served.tokens['reader']}"}
        return httpx.get(f"{self.served.url}{path}", headers=bearer | headers)

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the log; what `serve` prints at its start for people is none."""
        assert self.served.log is not None
        whole, _, _ = self.served.log.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.split("\n") if line.startswith('{"timestamp"')]

    def lines(self, **fields: Any) -> list[dict[str, Any]]:
        """Return the lines of requests that have these fields."""
        return [
            record
            for record in self.records()
            if record["logger"] == "omni_gateway.server.access_log" and fields.items() <= record.items()
        ]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    calls: list[tuple[str, dict[str, str]]] = []
    verified = CallerInterceptor._caller

    def noted(self: CallerInterceptor, method: str, metadata: Any) -> Any:
        calls.append((method, {key: str(value) for key, value in metadata}))
        return verified(self, method, metadata)

    with pytest.MonkeyPatch.context() as patch, running_simulator(fleet=2) as simulator, Collector() as collector:
        patch.setattr(CallerInterceptor, "_caller", noted)
        environ = {
            "OMNI_ENDPOINT": simulator.endpoint,
            "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
            "OMNI_GATEWAY_LOG_FORMAT": "json",
            "OMNI_GATEWAY_MAX_BODY_BYTES": "1000",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_TRACES_SAMPLER": "parentbased_always_on",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        }
        served = start_gateway(tmp_path_factory.mktemp("gateway"), environ, ["reader"])
        yield World(served, collector, simulator, calls)
        stop_gateway(served)
        collector.shutdown()


def attributes(span: Span) -> dict[str, Any]:
    return {entry.key: getattr(entry.value, str(entry.value.WhichOneof("value"))) for entry in span.attributes}


def test_a_request_that_reaches_omni_is_one_trace_with_its_calls(world: World, wait_until: Callable[..., Any]) -> None:
    header = f"00-{TRACE}-{PARENT}-01"
    assert world.get("/api/v1/clusters", traceparent=header, **{"Cache-Control": "no-cache"}).status_code == 200

    wait_until(lambda: Span.SPAN_KIND_SERVER in {span.kind for span in world.collector.of(TRACE)}, 60)
    spans = {span.name: span for span in world.collector.of(TRACE)}
    server = spans["GET /api/v1/clusters"]
    assert (server.kind, server.parent_span_id.hex()) == (Span.SPAN_KIND_SERVER, PARENT)
    assert (
        attributes(server).items()
        >= {
            "http.request.method": "GET",
            "http.route": "/api/v1/clusters",
            "http.response.status_code": 200,
            "url.scheme": "http",
            "server.address": "127.0.0.1",
            "cache.status": "fwd=request; detail=no-cache",
        }.items()
    )
    for name, system in ((LIST, "rpc.system.name"), ("store read", "db.system.name")):
        assert (spans[name].kind, spans[name].parent_span_id) == (Span.SPAN_KIND_CLIENT, server.span_id)
        assert attributes(spans[name])[system] in ("grpc", "sqlite")
    assert attributes(spans[LIST]).items() >= {"rpc.method": LIST, "rpc.response.status_code": "OK"}.items()
    # Omni, which verifies the signature of each call, got the span of the call as its parent.
    got = [metadata.get("traceparent") for method, metadata in world.calls if method == f"/{LIST}"]
    assert f"00-{TRACE}-{spans[LIST].span_id.hex()}-01" in got
    assert (
        world.collector.resources[0].items()
        >= {
            "service.name": "omni-gateway",
            "deployment.environment.name": "test",
        }.items()
    )


def test_the_line_of_a_request_tells_who_asked_for_what_and_what_it_took(
    world: World, wait_until: Callable[..., Any]
) -> None:
    answer = world.get(
        "/api/v1/machines?page_size=1", traceparent=f"00-{TRACE}-{PARENT}-00", **{"Cache-Control": "no-cache"}
    )

    [line] = wait_until(lambda: world.lines(request_id=answer.headers["X-Request-ID"]), 60)
    assert (
        line.items()
        >= {
            "level": "INFO",
            "event": "GET /api/v1/machines 200",
            "trace_id": TRACE,
            "user.name": "test-reader",
            "http.request.method": "GET",
            "http.route": "/api/v1/machines",
            "http.response.status_code": 200,
            "http.response.body.size": len(answer.content),
            "client.address": "127.0.0.1",
            "cache.status": "fwd=request; detail=no-cache",
        }.items()
    )
    assert line["omni.calls"] >= 1
    assert 0 < line["omni.duration"] < 60
    assert 0 < line["http.server.request.duration"] < 60


def test_a_trace_that_the_caller_does_not_sample_is_not_exported(world: World, wait_until: Callable[..., Any]) -> None:
    unsampled, sampled = "1" * 32, "2" * 32
    for trace, flags in ((unsampled, "00"), (sampled, "01")):
        assert world.get("/api/v1/clusters", traceparent=f"00-{trace}-{PARENT}-{flags}").status_code == 200
    wait_until(lambda: world.collector.of(sampled), 60)
    assert world.collector.of(unsampled) == []


@pytest.mark.parametrize("header", [f"00-{'0' * 32}-{PARENT}-01", "nonsense", f"ff-{TRACE}-{PARENT}-01"])
def test_an_invalid_traceparent_begins_a_new_trace(world: World, wait_until: Callable[..., Any], header: str) -> None:
    answer = world.get("/api/v1/clusters", traceparent=header)
    [line] = wait_until(lambda: world.lines(request_id=answer.headers["X-Request-ID"]), 60)
    spans = wait_until(lambda: world.collector.of(line["trace_id"]), 60)
    assert line["trace_id"] not in (TRACE, "0" * 32)
    assert spans[-1].parent_span_id == b""


def test_a_refused_credential_is_told_by_its_problem_and_without_a_caller(
    world: World, wait_until: Callable[..., Any]
) -> None:
    answer = httpx.get(f"{world.served.url}/api/v1/clusters", headers={"Authorization": "Bearer wrong"})
    [line] = wait_until(lambda: world.lines(request_id=answer.headers["X-Request-ID"]), 60)
    assert (line["http.response.status_code"], line["error.type"]) == (401, "unauthenticated")
    assert "user.id" not in line


def send(world: World, text: bytes) -> tuple[int, str]:
    """Send bytes, and return the answer's status and ``X-Request-ID``."""
    url = httpx.URL(world.served.url)
    with socket.create_connection((url.host, url.port or 0), 30) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    head, _, body = answer.decode().partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert json.loads(body)["request_id"] == headers["X-Request-ID"]
    return int(head.split()[1]), headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("text", "status", "code", "method"),
    [
        (b"GET / HTTP/9\r\n\r\n", 400, "bad-request", "_OTHER"),
        (b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n", 413, "too-large", "POST"),
        (b"GET /x HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431, "headers-too-large", "GET"),
        (b"PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab", 400, "bad-request", "PUT"),
    ],
)
def test_what_the_server_refuses_itself_has_a_line_too(
    world: World, wait_until: Callable[..., Any], text: bytes, status: int, code: str, method: str
) -> None:
    answered, request_id = send(world, text)
    [line] = wait_until(lambda: world.lines(request_id=request_id), 60)
    assert answered == status
    assert (
        line.items()
        >= {
            "http.response.status_code": status,
            "error.type": code,
            "http.request.method": method,
            "http.route": "none",
            "client.address": "127.0.0.1",
        }.items()
    )


def test_the_line_of_a_watch_is_written_at_its_end(world: World, wait_until: Callable[..., Any]) -> None:
    bearer = {"Authorization": f"Bearer {world.served.tokens['reader']}", "Accept": "application/x-ndjson"}
    with httpx.stream("GET", f"{world.served.url}/api/v1/machines", headers=bearer) as answer:
        chunks = answer.iter_raw()  # held: httpx closes the connection with the iterator
        received = next(chunks)
        assert world.lines(request_id=answer.headers["X-Request-ID"]) == []
    [line] = wait_until(lambda: world.lines(request_id=answer.headers["X-Request-ID"]), 60)
    assert line["http.response.status_code"] == 200
    assert line["http.response.body.size"] >= len(received)


def test_a_probe_that_succeeds_has_no_line(world: World, wait_until: Callable[..., Any]) -> None:
    httpx.get(f"{world.served.url}/livez")
    after = world.get("/api/v1/none")
    wait_until(lambda: world.lines(request_id=after.headers["X-Request-ID"]), 60)
    assert world.lines(**{"http.route": "/livez"}) == []


def test_no_line_has_the_url_or_a_library_s_form(world: World, wait_until: Callable[..., Any]) -> None:
    answer = world.get("/api/v1/clusters/not-shown-1?page=not-shown-2")
    wait_until(lambda: world.lines(request_id=answer.headers["X-Request-ID"]), 60)
    assert world.served.log is not None
    text = world.served.log.read_text()
    assert "not-shown" not in text
    assert not any("alembic" in record["logger"] for record in world.records())
    started = text.partition('{"timestamp"')[0]
    assert "[INFO]" not in text.removeprefix(started)
