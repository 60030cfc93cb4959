"""A plain WSGI application under the gateway's worker: ``python -m tests.server.echo PORT [SETTING=VALUE …]``."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

from gunicorn.app.base import BaseApplication

from omni_gateway.http.request_deadline import ARRIVED
from omni_gateway.server.application import gunicorn_options
from omni_gateway.settings import Settings
from omni_gateway.watch import stream_response
from omni_gateway.watch.push_stream import PUSH_STREAMS, PushStream

NOT_OURS = {"post_worker_init", "child_exit"}  # they ask for a gateway
CARRIED: set[PushStream] = set()
NOTED: list[str] = []
stream_response.PROVED_SECONDS = 0.5


class Working:
    """How many requests work now; those that are held work until they are released."""

    def __init__(self) -> None:
        self.count = 0
        self._released = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.count += 1

    def wait(self) -> None:
        self._released.wait(60)

    def release(self) -> None:
        released, self._released = self._released, threading.Event()
        released.set()

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self.count -= 1


WORKING = Working()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    path = environ["PATH_INFO"]
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return stream(int(query["size"]))
    if path == "/carried" and PUSH_STREAMS in environ:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return hand_over(environ[PUSH_STREAMS], {name: float(value) for name, value in query.items()})
    if path == "/unread":
        answer = b"not read"
    elif path == "/zeros":
        answer = bytes(int(query["size"]))
    elif path == "/work":
        with WORKING:
            time.sleep(float(query["seconds"]))
        answer = b"done"
    elif path == "/livez":
        if environ["QUERY_STRING"] == "release":
            WORKING.release()
        answer = str(WORKING.count).encode()
    elif path == "/hold":
        with WORKING:
            WORKING.wait()
        answer = b"released"
    elif path == "/note":
        NOTED.append(query["text"])
        answer = str(environ.get(ARRIVED)).encode()
    elif path == "/noted":
        answer = " ".join(NOTED).encode()
    elif path == "/tell":
        told = environ["wsgi.input"].read()
        for each in list(CARRIED):
            each.put(told)
        answer = str(len(CARRIED)).encode()
    elif path == "/state":
        answer = f"{len(CARRIED)} {threading.active_count()}".encode()
    else:
        body = environ["wsgi.input"].read()
        answer = f"{environ['REQUEST_METHOD']} {path} {len(body)} {hashlib.sha256(body).hexdigest()}".encode()
    start_response("200 OK", [("Content-Length", str(len(answer))), ("Content-Type", "text/plain")])
    return [answer]


def hand_over(carry: Callable[[PushStream], None], query: dict[str, float]) -> Iterator[bytes]:
    """Begin with ``begin`` bytes, then be told by others; ``refused``: so many seconds from now the caller is."""
    refused = time.monotonic() + query.get("refused", 3600)
    made = PushStream(
        stream_response.FORMS[stream_response.SSE],
        proved=lambda: time.monotonic() < refused,
        closed=lambda: CARRIED.discard(made),
        heartbeat=query.get("heartbeat", 3600),
        max_age=query.get("age", 3600),
    )
    made.begin(bytes(65536) for _ in range(int(query.get("begin", 0)) // 65536))
    CARRIED.add(made)
    yield b"begun\n"
    carry(made)


def stream(size: int) -> Iterator[bytes]:
    while True:
        yield bytes(size)


def stop_arbiter(server: Any, worker: Any) -> None:
    """Stop the arbiter, and wait until it tells this worker, which has not begun, to stop."""
    os.kill(os.getppid(), signal.SIGTERM)
    deadline = time.monotonic() + 5
    while signal.SIGTERM not in signal.sigpending() and time.monotonic() < deadline:
        time.sleep(0.01)


class Echo(BaseApplication):  # type: ignore[misc]
    def __init__(self, bind: str, settings: Settings, *, stopped_at_once: bool = False) -> None:
        self.options = {**gunicorn_options(bind, settings), **({"post_fork": stop_arbiter} if stopped_at_once else {})}
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            if name not in NOT_OURS:
                self.cfg.set(name, value)

    def load(self) -> Any:
        return application


if __name__ == "__main__":
    given = dict(argument.split("=", 1) for argument in sys.argv[2:])
    settings = Settings.load({"OMNI_GATEWAY_WORKERS": "1", **given})
    Echo(f"127.0.0.1:{sys.argv[1]}", settings, stopped_at_once="STOPPED_AT_ONCE" in given).run()
