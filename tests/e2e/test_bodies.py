"""Bodies that are refused before they are read, and those that are not taken at all."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Served

pytestmark = pytest.mark.slow

LARGE = 3_000_000


class Connection:
    """A connection on which a request's head may be sent without its body."""

    def __init__(self, served: Served) -> None:
        self.socket = socket.create_connection((httpx.URL(served.url).host, httpx.URL(served.url).port), timeout=30)

    def send(self, method: str, path: str, token: str = "", **fields: str) -> Connection:
        credential = {"Authorization": f"Bearer {token}"} if token else {}
        given = {"Host": "a", "Content-Type": "application/json", **credential, **fields}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
        self.socket.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode())
        return self

    def answer(self) -> HTTPResponse:
        response = HTTPResponse(self.socket)
        response.begin()
        return response


@pytest.fixture
def connect(served: Served) -> Iterator[Callable[[], Connection]]:
    opened: list[Connection] = []

    def connection() -> Connection:
        opened.append(Connection(served))
        return opened[-1]

    yield connection
    for one in opened:
        one.socket.close()


@pytest.mark.parametrize(
    ("method", "path", "role", "status", "code"),
    [
        ("POST", "/api/v1/apply", "", 401, "unauthenticated"),
        ("POST", "/api/v1/apply", "reader", 403, "forbidden"),
        ("GET", "/api/v1/clusters", "reader", 413, "too-large"),
        ("DELETE", "/api/v1/clusters/x", "admin", 413, "too-large"),
        ("POST", "/api/v1/nowhere", "admin", 404, "not-found"),
        ("PUT", "/api/v1/apply", "admin", 405, "method-not-allowed"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_large_body_that_would_be_refused_is_refused_before_it_is_sent(
    served: Served,
    connect: Callable[[], Connection],
    method: str,
    path: str,
    role: str,
    status: int,
    code: str,
    chunked: bool,
) -> None:
    framing = {"Transfer_Encoding": "chunked"} if chunked else {"Content_Length": str(LARGE)}
    connection = connect().send(method, path, served.tokens[role] if role else "", **framing)
    if chunked:  # its size is not known before some of it has come
        connection.socket.sendall(b"%x\r\n" % LARGE + b"x" * 100_000)
    answer = connection.answer()
    assert (answer.status, answer.headers["Connection"]) == (status, "close")
    problem = json.loads(answer.read())
    assert (problem["code"], problem["instance"]) == (code, path)
    assert answer.headers["X-Request-ID"] == problem["request_id"]


def test_a_large_body_that_is_taken_is_asked_for_and_read(served: Served, connect: Callable[[], Connection]) -> None:
    body = json.dumps([{"metadata": {"type": "x"}, "spec": {"text": "x" * LARGE}}]).encode()
    fields = {"Content_Length": str(len(body)), "Expect": "100-continue"}
    connection = connect().send("POST", "/api/v1/apply?dry_run=true", served.tokens["admin"], **fields)
    assert connection.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.socket.sendall(body)
    answer = connection.answer()
    assert (answer.status, answer.headers["Connection"]) == (422, "keep-alive")
    answer.read()
    assert connection.send("GET", "/livez").answer().status == 200


def test_a_large_request_counts_once(served: Served, connect: Callable[[], Connection]) -> None:
    def applies() -> float:
        head = {"Authorization": f"Bearer {served.tokens['admin']}"}
        lines = httpx.get(f"{served.url}/metrics", headers=head).text.splitlines()
        name = 'omni_gateway_requests_total{method="POST",route="/api/v1/apply"'
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    before = applies()
    connection = connect().send("POST", "/api/v1/apply", served.tokens["admin"], Content_Length=str(LARGE))
    connection.socket.sendall(b" " * LARGE)
    assert connection.answer().status == 400
    assert applies() == before + 1


@pytest.mark.parametrize("coding", ["gzip", "identity, br", "GZIP"])
def test_a_body_in_a_coding_is_refused_with_the_one_that_is_taken(api: httpx.Client, coding: str) -> None:
    body = gzip.compress(b'{"id": "x", "data": "machine: {}"}')
    head = {"Content-Encoding": coding, "Content-Type": "application/json"}
    answer = api.post("configpatches", content=body, headers=head)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert answer.headers["Accept-Encoding"] == "identity"


def test_a_body_that_says_it_is_in_no_coding_is_taken(api: httpx.Client) -> None:
    answer = api.post(
        "configpatches/actions/validate", json={"data": "machine: {}"}, headers={"Content-Encoding": "identity"}
    )
    assert answer.status_code == 200


def resident_mib(served: Served) -> float:
    """Resident memory of the gateway's worker."""
    lines = Path(f"/proc/{served.workers[0]}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def test_the_memory_that_one_callers_large_bodies_take_is_bounded_and_given_back(
    served: Served, wait_until: Callable[..., Any]
) -> None:
    body = json.dumps({"id": "x", "no_such_field": ["x" * 20] * 90_000, "more": "y" * 1_800_000}).encode()
    head = {"Authorization": f"Bearer {served.tokens['operator']}", "Content-Type": "application/json"}

    def post(_: int) -> int:
        return httpx.post(f"{served.url}/api/v1/configpatches", content=body, headers=head, timeout=60).status_code

    before = resident_mib(served)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(post, range(32)))
    assert resident_mib(served) < before + 150  # all at once, parsed, take 300 and more
    assert set(answers) <= {422, 429}
    assert 422 in answers
    wait_until(lambda: resident_mib(served) < before + 60, 30, "the memory to be given back")
