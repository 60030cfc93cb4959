"""Downloads from an image factory: redirects, credentials, and what is said when it does not send the image."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from omni_gateway.omni.boot_assets import AssetUnavailable, BootAsset, open_asset

Answer = Callable[[BaseHTTPRequestHandler], None]


class Factory:
    """Servers whose answers are functions by path; ``seen`` has the headers of each request."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        self._servers = [self._server() for _ in range(2)]
        self.url, self.other = (f"http://127.0.0.1:{server.server_port}" for server in self._servers)

    def _server(self) -> ThreadingHTTPServer:
        factory = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                factory.seen.append((self.headers["Host"], dict(self.headers)))
                factory.answers[self.path](self)

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


def sent(status: int, body: bytes = b"", length: int | None = None, **headers: str) -> Answer:
    """Return an answer; ``length`` is the one that it claims to have."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def factory() -> Iterator[Factory]:
    made = Factory()
    yield made
    made.close()


def read(url: str, headers: dict[str, str] | None = None, **wanted: str) -> bytes:
    with open_asset(BootAsset(url, headers or {}, "", ""), wanted) as part:
        return b"".join(part.chunks)


def test_a_redirect_is_followed_and_credentials_stay_with_their_host(factory: Factory) -> None:
    factory.answers["/here"] = sent(302, Location="/there")
    factory.answers["/there"] = sent(307, Location=f"{factory.other}/image")
    factory.answers["/image"] = sent(200, b"talos")
    assert read(f"{factory.url}/here", {"authorization": "Basic s3cret", "X-Kind": "iso"}, Range="bytes=0-") == b"talos"
    got = [(headers.get("authorization"), headers["X-Kind"], headers["Range"]) for _, headers in factory.seen]
    assert got == [("Basic s3cret", "iso", "bytes=0-")] * 2 + [(None, "iso", "bytes=0-")]


def test_a_user_in_the_url_is_sent_as_a_header_and_is_in_no_error(factory: Factory) -> None:
    factory.answers["/image"] = sent(403)
    url = factory.url.replace("http://", "http://user:hunter2@")
    with pytest.raises(AssetUnavailable) as caught:
        read(f"{url}/image")
    assert factory.seen[0][1]["Authorization"] == "Basic dXNlcjpodW50ZXIy"
    assert str(caught.value) == "The image factory 127.0.0.1 answered 403."


def test_an_image_that_breaks_off_is_no_whole_one(factory: Factory) -> None:
    factory.answers["/image"] = sent(200, b"tal", length=5)
    with pytest.raises(AssetUnavailable, match="broke off 2 bytes before the end"):
        read(f"{factory.url}/image")


def test_a_circle_of_redirects_ends(factory: Factory) -> None:
    factory.answers["/image"] = sent(302, Location="/image")
    with pytest.raises(AssetUnavailable, match="redirects more than 5 times"):
        read(f"{factory.url}/image")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1/image", "connection refused"),
        ("ftp://127.0.0.1/image", "not one of HTTP"),
        ("http://127.0.0.1:99999/image", "port"),
    ],
)
def test_a_factory_that_does_not_answer_is_named_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(AssetUnavailable, match=f"(?i)the image factory 127.0.0.1 gave no answer: .*{reason}"):
        read(url)


def test_a_download_that_is_left_ends_for_the_thread_that_reads(factory: Factory) -> None:
    goes_on = threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        sent(200, b"talos", length=10)(handler)
        goes_on.wait(30)

    factory.answers["/image"] = slow
    ended = threading.Event()
    with open_asset(BootAsset(f"{factory.url}/image", {}, "", ""), {}) as part:

        def reading() -> None:
            with pytest.raises(AssetUnavailable):
                list(part.chunks)
            ended.set()

        thread = threading.Thread(target=reading)
        thread.start()
    assert ended.wait(30)
    goes_on.set()
    thread.join()
