"""The health check of the container's image: what it asks, where the gateway's variables say that it listens."""

from __future__ import annotations

import socketserver
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.proxy import certificate
from omni_gateway import health_check


class Alive(BaseHTTPRequestHandler):
    """Answers to the hosts that its server knows, as a gateway with ALLOWED_HOSTS does."""

    def do_GET(self) -> None:
        known = self.headers["Host"] in ("localhost", "api.example.com")
        self.send_response(200 if self.path == "/livez" and known else 400)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def address_string(self) -> str:
        return "client"  # that of a Unix socket is no pair


class OnUnixSocket(socketserver.UnixStreamServer):
    pass


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Alive)
    with serving(server):
        yield server.server_port


def status(monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str]) -> int:
    for name, value in environ.items():
        monkeypatch.setenv(f"OMNI_GATEWAY_{name}", value)
    return health_check.main()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "", "localhost"])
def test_the_port_of_the_bind_address_is_asked(monkeypatch: pytest.MonkeyPatch, port: int, host: str) -> None:
    assert status(monkeypatch, {"BIND": f"{host}:{port}"}) == 0


def test_a_host_that_the_gateway_answers_to_is_named(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    bind = {"BIND": f"127.0.0.1:{port}"}
    assert status(monkeypatch, bind | {"ALLOWED_HOSTS": "api.example.com, other.example.com"}) == 0
    assert status(monkeypatch, bind | {"ALLOWED_HOSTS": "unknown.example.com"}) == 1


def test_a_unix_socket_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path has at most 107 bytes
    with serving(OnUnixSocket("gateway", Alive)):
        assert status(monkeypatch, {"BIND": "unix:gateway"}) == 0


def test_tls_is_spoken_where_the_gateway_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = HTTPServer(("127.0.0.1", 0), Alive)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        bind = {"BIND": f"127.0.0.1:{server.server_port}", "TLS_CERT_FILE": str(cert), "TLS_KEY_FILE": str(key)}
        assert status(monkeypatch, bind) == 0


def test_where_nothing_listens_it_fails_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert status(monkeypatch, {"BIND": f"unix:{tmp_path}/gone"}) == 1
    assert capsys.readouterr().err.startswith("/livez: ")
