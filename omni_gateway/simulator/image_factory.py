"""The image factory: small images with made-up content, the same for the same path, whole or in parts."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from omni_gateway.simulator.transport.http_server import HttpServer

log = logging.getLogger(__name__)

SIZE = 256 * 1024
_IMAGE = re.compile(r"/image/[0-9a-f]{64}/v[^/]+/[^/]+\.[a-z0-9.]+")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class ImageFactory(HttpServer):
    """An HTTP server on a free loopback port."""

    def __init__(self) -> None:
        super().__init__("image-factory", _Handler, {"factory": self})
        #: The status of every answer; 0: as the request has it.
        self.status = 0
        self.url = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def failing(self, status: int) -> Iterator[None]:
        """Answer every request with this status, without the bytes that are announced."""
        self.status = status
        try:
            yield
        finally:
            self.status = 0


class _Handler(BaseHTTPRequestHandler):
    factory: ImageFactory
    timeout = 30

    def do_GET(self) -> None:
        if failed := self.factory.status or (0 if _IMAGE.fullmatch(self.path) else 404):
            self._head(failed, SIZE)
            return
        content, tag = image(self.path), f'"{hashlib.sha256(self.path.encode()).hexdigest()[:16]}"'
        part = self._part(tag)
        if part is None:
            self._head(200, SIZE, {"ETag": tag})
            self.wfile.write(content)
        elif part[0] >= SIZE:
            self._head(416, 0, {"Content-Range": f"bytes */{SIZE}"})
        else:
            begin, end = part
            self._head(206, end - begin, {"ETag": tag, "Content-Range": f"bytes {begin}-{end - 1}/{SIZE}"})
            self.wfile.write(content[begin:end])

    def _part(self, tag: str) -> tuple[int, int] | None:
        """Return begin and end of the part that is asked for; None for the whole."""
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        if asked is None or not (asked[1] or asked[2]) or self.headers.get("If-Range", tag) != tag:
            return None
        if not asked[1]:
            return max(0, SIZE - int(asked[2])), SIZE
        return int(asked[1]), min(SIZE, int(asked[2]) + 1 if asked[2] else SIZE)

    def _head(self, status: int, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Accept-Ranges": "bytes", "Content-Length": str(length), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)


def image(path: str) -> bytes:
    """Return the content of the image at a path: pieces that all differ."""
    seed = path.encode()
    return b"".join(hashlib.sha256(b"%d%b" % (number, seed)).digest() for number in range(SIZE // 32))
