"""httpx over an application in this process, with the raw URL that a server would give it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
from flask import Flask
from werkzeug.test import Client, TestResponse


class InProcessTransport(httpx.BaseTransport):
    """Sends requests to an application without a server; bodies of responses are read as they are made."""

    def __init__(self, app: Flask) -> None:
        self._client = Client(app, use_cookies=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Call the application."""
        names = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        target = request.url.raw_path.decode("ascii")
        answer = self._client.open(
            target,
            method=request.method,
            headers=[(name, value) for name, value in names if name.lower() not in ("host", "content-length")],
            data=request.read(),
            environ_overrides={"RAW_URI": target, "REQUEST_URI": target},
        )
        return httpx.Response(answer.status_code, headers=list(answer.headers), stream=_Body(answer))


class _Body(httpx.SyncByteStream):
    """The body of a response; closing it ends a stream."""

    def __init__(self, answer: TestResponse) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_encoded()

    def close(self) -> None:
        """Call the response's functions for its end."""
        self._answer.close()
