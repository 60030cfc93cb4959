"""TLS in gunicorn, for those who have no proxy before it."""

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

from .conftest import Server

pytestmark = pytest.mark.slow

THREADS = 2
LARGE = 3_000_000


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(start: Callable[..., Server], certified: tuple[Path, Path]) -> Server:
    cert, key = certified
    return start(threads=THREADS, max_streams=1, tls_cert_file=cert, tls_key_file=key)


@pytest.fixture
def context(certified: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certified[0]))


def ask(server: Server, context: ssl.SSLContext, path: str = "/a", body: bytes | None = None) -> bytes:
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=30)
    answers = []
    for _ in range(2):  # the second one over the connection that is kept
        connection.request("POST" if body else "GET", path, body=body)
        answers.append(connection.getresponse().read())
    connection.close()
    assert answers[0] == answers[1]
    return answers[0]


def test_requests_are_served_over_tls(server: Server, context: ssl.SSLContext) -> None:
    assert ask(server, context).startswith(b"GET /a 0 ")


def test_large_bodies_and_answers_pass_whole(server: Server, context: ssl.SSLContext) -> None:
    assert ask(server, context, "/b", b"x" * LARGE).startswith(b"POST /b %d " % LARGE)
    assert len(ask(server, context, f"/zeros?size={LARGE}")) == LARGE


def test_a_client_that_does_not_trust_the_certificate_is_not_served(server: Server) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(server, ssl.create_default_context())


def test_old_versions_of_tls_are_refused(server: Server, context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(OSError):
        ask(server, context)


def test_clients_that_never_end_their_handshake_hold_nobody_up(server: Server, context: ssl.SSLContext) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
    for number, one in enumerate(silent):
        one.sendall(b"\x16\x03\x01\x02\x00"[: number % 6])
    started = time.monotonic()
    assert ask(server, context).startswith(b"GET /a 0 ")
    assert time.monotonic() - started < 15
    for one in silent:
        one.close()


def test_a_new_certificate_is_taken_up_on_a_hangup(
    start: Callable[..., Server], tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    cert, key = certificate(tmp_path)
    server = start(tls_cert_file=cert, tls_key_file=key)
    address = ("127.0.0.1", server.port)
    first = ssl.get_server_certificate(address)
    certificate(tmp_path)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: ssl.get_server_certificate(address) != first, 60, "another certificate")


def test_a_certificate_without_its_key_stays_away_and_the_old_one_is_served(
    start: Callable[..., Server], context: ssl.SSLContext, tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    (served := tmp_path / "served").mkdir()
    (other := tmp_path / "other").mkdir()
    cert, key = certificate(served)
    server = start(tls_cert_file=cert, tls_key_file=key)
    address = ("127.0.0.1", server.port)
    first = ssl.get_server_certificate(address)
    new_cert, new_key = certificate(other)

    new_cert.replace(cert)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "cannot be used (KEY_VALUES_MISMATCH)" in server.log.read_text(), 60, "the line in the log")
    wait_until(lambda: "Worker exiting" in server.log.read_text(), 60, "the end of the worker before")
    assert ssl.get_server_certificate(address) == first

    new_key.replace(key)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: ssl.get_server_certificate(address) != first, 60, "the new certificate")


def test_plain_http_is_not_served_on_the_port(server: Server, context: ssl.SSLContext) -> None:
    with pytest.raises((http.client.HTTPException, OSError)):
        server.get("/a")
    assert ask(server, context).startswith(b"GET /a 0 ")
