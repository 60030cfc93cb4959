"""Calls of a served gateway, past its cache, over one kept-alive connection."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

import orjson

from benchmarks.processes import Target
from benchmarks.speed_load import NotServedError


def http_get(target: Target, path: str) -> Callable[[], bytes]:
    """Return a call of one path; NotServedError for anything but a 200."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=60)
    return lambda: _answer(connection, target, "GET", path)


def http_post(target: Target, path: str, body: Any) -> bytes:
    """Post JSON; NotServedError for anything but a 200."""
    return http_call(target, "POST", path, body)


def http_call(target: Target, method: str, path: str, body: Any = None, *, status: int = 200) -> bytes:
    """Send a request over a connection of its own; NotServedError for anything but the status."""
    connection = http.client.HTTPConnection(target.host, target.port, timeout=600)
    try:
        return _answer(connection, target, method, path, None if body is None else orjson.dumps(body), status)
    finally:
        connection.close()


def _answer(
    connection: http.client.HTTPConnection,
    target: Target,
    method: str,
    path: str,
    body: bytes | None = None,
    status: int = 200,
) -> bytes:
    headers = {"Authorization": f"Bearer {target.token}", "Content-Type": "application/json"}
    headers["Cache-Control"] = "no-cache"
    connection.request(method, path, body, headers=headers)
    answer = connection.getresponse()
    read = answer.read()
    if answer.status != status:
        raise NotServedError(f"{answer.status} {answer.reason}")
    return read
