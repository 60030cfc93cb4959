"""A proxy on loopback that loses answers, refuses requests and cuts streams, each once, and forwards all else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

import httpx

STREAMS = ("text/event-stream", "application/x-ndjson")
OVERLOADED = {"code": "overloaded", "status": 503, "title": "Too many requests at once", "retryable": True}


@dataclass
class FaultyProxy:
    """The proxy's URL, and what has been sent to it: method, path, headers."""

    url: str
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def of(self, method: str, path: str, *, stream: bool = False) -> list[dict[str, str]]:
        """Return the headers of the requests of a method to a path, watches or others."""
        return [
            headers
            for each, where, headers in self.requests
            if (each, where) == (method, path) and (headers.get("accept") in STREAMS) == stream
        ]


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """Run a proxy of a gateway.

    The first POST to a path is forwarded and its answer is lost; each other first request is answered 503 and is not
    forwarded; the first watch of a path is cut after its bookmark.
    """
    lock = Lock()
    with httpx.Client(base_url=upstream, timeout=60) as client:

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                stream = headers.get("accept") in STREAMS
                path = self.path.partition("?")[0]
                with lock:
                    first = not proxy.of(self.command, path, stream=stream)
                    proxy.requests.append((self.command, path, headers))
                body = self.rfile.read(int(headers.get("content-length", 0)))
                if stream:
                    self.forward_stream(headers, cut=first)
                elif first and self.command != "POST":
                    document = json.dumps(OVERLOADED).encode()
                    self.send(503, {"Content-Type": "application/problem+json", "Retry-After": "0"}, document)
                else:
                    answer = client.request(self.command, self.path, headers=headers, content=body)
                    self.close_connection = first
                    if not first:
                        self.send(answer.status_code, dict(answer.headers), answer.content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response_only(status)
                left_out = ("content-length", "content-encoding", "transfer-encoding", "connection")
                for name, value in headers.items():
                    if name.lower() not in left_out:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def forward_stream(self, headers: dict[str, str], *, cut: bool) -> None:
                self.close_connection = True
                with client.stream("GET", self.path, headers=headers) as answer:
                    self.send_response_only(answer.status_code)
                    self.send_header("Content-Type", answer.headers["Content-Type"])
                    self.end_headers()
                    bookmark = False
                    for line in answer.iter_lines():
                        self.wfile.write(line.encode() + b"\n")
                        bookmark = bookmark or "BOOKMARK" in line
                        if cut and bookmark and (not line or line.startswith("{")):
                            return

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        proxy = FaultyProxy(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield proxy
        server.shutdown()
        thread.join()
        server.server_close()
