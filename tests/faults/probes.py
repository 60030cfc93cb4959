"""What is asked during a fault, and what came of it."""

from __future__ import annotations

import http.client
import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.faults.world import TOKEN

#: How long a probe waits, so that "too late" and "never" look different.
PATIENCE = 20.0
KNOWN = {"Authorization": f"Bearer {TOKEN}"}
UNKNOWN = {"Authorization": "Bearer ogw_unknown"}
NDJSON = {"Accept": "application/x-ndjson"}
#: Each request is sent so often.
TIMES = 2
#: Seconds between two requests. Fifty in one instant keep a worker's interpreter busy for a third of a second, whatever
#: is at fault, and /livez with it.
INTERVAL = 0.01
KINDS = ("read", "write", "stream", "health")


@dataclass(frozen=True)
class Answer:
    """What came back: ``said`` is the status, with the problem's code where it is one."""

    what: str
    said: str
    seconds: float


@dataclass
class Cell:
    """All answers of one kind during one fault."""

    answers: list[Answer] = field(default_factory=list)

    @property
    def slowest(self) -> float:
        """Return the longest time that an answer took, in seconds."""
        return max((answer.seconds for answer in self.answers), default=0.0)

    @property
    def said(self) -> Sequence[str]:
        """Return what was said, each once."""
        return sorted({answer.said for answer in self.answers})


def _said(status: int, problem: Any) -> str:
    code = problem.get("code") if isinstance(problem, Mapping) else None
    return f"{status} `{code}`" if code else str(status)


def _connection(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", int(url.rpartition(":")[2]), timeout=PATIENCE)


def _request(url: str, what: str, method: str, path: str, headers: Mapping[str, str], body: Any = None) -> Answer:
    began = time.monotonic()
    connection = _connection(url)
    try:
        head = {**headers, **({"Content-Type": "application/json"} if body is not None else {})}
        connection.request(method, path, None if body is None else json.dumps(body), head)
        answer = connection.getresponse()
        text = answer.read()
        said = _said(answer.status, json.loads(text) if answer.status >= 400 else None)
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = f"no answer ({type(error).__name__})"
    finally:
        connection.close()
    return Answer(what, said, time.monotonic() - began)


def _stream(url: str, what: str, path: str) -> Answer:
    """Open a stream and wait for its first word."""
    began = time.monotonic()
    connection = _connection(url)
    try:
        connection.request("GET", path, headers={**KNOWN, **NDJSON})
        answer = connection.getresponse()
        first = json.loads(answer.readline() or "{}")
        said = _said(answer.status, first if answer.status >= 400 else None)
        if first.get("type") == "ERROR":
            said += f", then {_said(first['object']['status'], first['object'])}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        said = f"no answer ({type(error).__name__})"
    finally:
        connection.close()
    return Answer(what, said, time.monotonic() - began)


def _patch() -> dict[str, Any]:
    data = "machine:\n  sysctls:\n    vm.swappiness: '7'\n"
    id = f"500-faults-{secrets.token_hex(6)}"
    return {"id": id, "data": data, "labels": {"omni.sidero.dev/machine": "none"}}


def requests(url: str) -> Sequence[tuple[str, Callable[[], Answer]]]:
    """Return what is asked: (kind, a call that asks it)."""

    def get(kind: str, what: str, path: str, headers: Mapping[str, str] = KNOWN) -> tuple[str, Callable[[], Answer]]:
        return kind, lambda: _request(url, what, "GET", path, headers)

    def post(what: str, path: str, make: Callable[[], Any], **headers: str) -> tuple[str, Callable[[], Answer]]:
        return "write", lambda: _request(url, what, "POST", path, {**KNOWN, **headers}, make())

    def open_stream(what: str, path: str) -> tuple[str, Callable[[], Answer]]:
        return "stream", lambda: _stream(url, what, path)

    return [
        get("read", "machines", "/api/v1/machines?page_size=1"),
        get("read", "machines, from Omni", "/api/v1/machines?page_size=1", {**KNOWN, "Cache-Control": "no-cache"}),
        get("read", "tokens", "/api/v1/auth/tokens"),
        get("read", "with an unknown token", "/api/v1/machines?page_size=1", UNKNOWN),
        post("a config patch", "/api/v1/configpatches", _patch),
        post("a token", "/api/v1/auth/tokens", lambda: {"name": "faults", "ttl": "60s"}),
        (
            "write",
            lambda: post(
                "a join token under an Idempotency-Key",
                "/api/v1/join-tokens",
                lambda: {"name": secrets.token_hex(6)},
                **{"Idempotency-Key": secrets.token_hex(8)},
            )[1](),
        ),
        open_stream("machines", "/api/v1/machines"),
        open_stream("providers", "/api/v1/oidc/providers"),
        get("health", "livez", "/livez", {}),
        get("health", "readyz", "/readyz", {}),
        get("health", "health", "/health", {}),
    ]


def ask_all(url: str, cells: Mapping[str, Cell], times: int = TIMES) -> None:
    """Ask everything of the cells' kinds side by side, each request so many times, and add the answers."""
    asked = [(kind, call) for kind, call in requests(url) if kind in cells for _ in range(times)]
    with ThreadPoolExecutor(len(asked)) as pool:
        begun = []
        for kind, call in asked:
            begun.append((kind, pool.submit(call)))
            time.sleep(INTERVAL)
        for kind, answer in begun:
            cells[kind].answers.append(answer.result())


class OpenStream:
    """A stream that is open when the fault begins."""

    def __init__(self, url: str, path: str) -> None:
        self.ended = ""
        self._connection = _connection(url)
        self._connection.request("GET", path, headers={**KNOWN, **NDJSON})
        self._answer = self._connection.getresponse()
        self._answer.readline()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while line := self._answer.readline():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    self.ended = f"ended with {_said(event['object']['status'], event['object'])}"
            self.ended = self.ended or "ended"
        except (OSError, http.client.HTTPException, ValueError, AttributeError) as error:
            self.ended = self.ended or f"cut off ({type(error).__name__})"

    def close(self) -> str:
        """Return how it is: "goes on", or how it has ended."""
        state = self.ended or "goes on"
        self._connection.close()
        return state


_POLLER = """
import http.client, select, sys, time
slowest, polls = 0.0, 0
while polls < 10 or not select.select([sys.stdin], [], [], 0)[0]:
    time.sleep(0.05)
    polls += 1
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
    try:
        connection.request("GET", "/livez")
        assert connection.getresponse().status == 200
    except Exception:
        slowest = float("inf")
    finally:
        connection.close()
    slowest = max(slowest, time.monotonic() - began)
    if polls == 1:
        print("begun", flush=True)
print(slowest)
"""


@contextmanager
def liveness(url: str) -> Iterator[list[float]]:
    """Poll /livez from a process of its own meanwhile; the list has the longest time when it has ended."""
    slowest: list[float] = []
    command = [sys.executable, "-S", "-c", _POLLER, url.rpartition(":")[2]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as poller:
        assert poller.stdout is not None
        assert poller.stdout.readline() == "begun\n"
        yield slowest
        slowest.append(float(poller.communicate("end\n", timeout=60)[0]))
