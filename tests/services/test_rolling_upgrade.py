"""Two replicas behind nginx are replaced one after the other, and no caller notices."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from omni_gateway.simulator.embedded import RunningSimulator
from tests.e2e.conftest import start_gateway, stop_gateway

from .conftest import before, needs_nginx
from .postgres import PostgreSQL

pytestmark = [needs_nginx, pytest.mark.timeout(400), pytest.mark.slow]

SECONDS = 90.0
#: Of the drain; nginx does not ask for /readyz, so it may be short.
DRAIN = "1"
#: Between two requests of a caller, for the machine's sake.
PAUSE_SECONDS = 0.1
BODY = {"match_labels": ["omni.sidero.dev/platform = rolling"]}


class Replica:
    """A gateway that can be stopped, and started again at its address."""

    def __init__(self, folder: Path, environ: dict[str, str], roles: tuple[str, ...]) -> None:
        self._folder, self._environ = folder, environ
        self.served = start_gateway(folder, environ, roles)

    def stop(self) -> None:
        self.served.process.send_signal(signal.SIGTERM)
        assert self.served.process.wait(SECONDS) == 0

    def start(self) -> None:
        port = int(self.served.url.rpartition(":")[2])
        self.served = start_gateway(self._folder, self._environ, (), port)

    def ready(self) -> bool:
        return httpx.get(f"{self.served.url}/readyz", timeout=10).status_code == 200


@pytest.fixture
def replicas(
    postgresql: PostgreSQL, simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Replica]]:
    environ = {
        "OMNI_ENDPOINT": simulator.endpoint,
        "OMNI_SERVICE_ACCOUNT_KEY": simulator.key,
        "OMNI_GATEWAY_STORE_URL": postgresql.create("rolling"),
        "OMNI_GATEWAY_TRUSTED_PROXIES": "1",
        "OMNI_GATEWAY_DRAIN": DRAIN,
    }
    made = [Replica(tmp_path_factory.mktemp("replica"), environ, roles) for roles in (("admin",), ())]
    yield made
    for replica in made:
        if replica.served.process.poll() is None:
            stop_gateway(replica.served)


class Load:
    """Callers that read, write and watch through a proxy, none of which repeats a request."""

    def __init__(self, port: int, token: str) -> None:
        self.url = f"http://127.0.0.1:{port}/api/v1/machineclasses"
        self.headers = {"Authorization": f"Bearer {token}"}
        self._stop = Event()
        self.reads = 0
        self.written: list[str] = []
        self.seen: set[str] = set()
        self.streams = 0
        self.failed: list[str] = []
        works = (self._read, self._write, self._watch)
        self._callers = [Thread(target=self._note_failures, args=(work,), daemon=True) for work in works]

    def start(self) -> None:
        for caller in self._callers:
            caller.start()

    def stop(self) -> None:
        self._stop.set()
        for caller in self._callers[:2]:  # the watch goes on until it has seen all
            caller.join(SECONDS)

    def _note_failures(self, work: Callable[[httpx.Client], None]) -> None:
        with httpx.Client(headers=self.headers, timeout=60) as client:
            while not self._stop.wait(PAUSE_SECONDS):
                try:
                    work(client)
                except (httpx.HTTPError, AssertionError) as error:
                    self.failed.append(f"{work.__name__}: {error!r}")

    def _read(self, client: httpx.Client) -> None:
        answer = client.get(self.url, params={"page_size": 1})
        assert answer.status_code == 200, answer.text
        self.reads += 1

    def _write(self, client: httpx.Client) -> None:
        id = f"rolling-{len(self.written)}"
        answer = client.post(self.url, json={"id": id, **BODY}, headers={"Idempotency-Key": id})
        assert answer.status_code == 201, answer.text
        self.written.append(id)

    def _watch(self, client: httpx.Client) -> None:
        """Read one stream to its end, and the next from where it ended."""
        point = ""
        while not self._stop.is_set():
            headers = {"Accept": "application/x-ndjson"} | ({"Last-Event-ID": point} if point else {})
            with client.stream("GET", self.url, headers=headers) as answer:
                assert answer.status_code == 200, answer.read()
                self.streams += 1
                for line in answer.iter_lines():
                    event: dict[str, Any] = json.loads(line)
                    assert event["type"] in ("ADDED", "MODIFIED", "BOOKMARK", "HEARTBEAT"), event
                    point = event.get("resume_point", point)
                    if event["type"] == "ADDED":
                        self.seen.add(event["object"]["id"])


def wait_for_writes(load: Load, wait_until: Callable[..., Any]) -> None:
    done = len(load.written)
    wait_until(lambda: len(load.written) > done + 5, SECONDS, "writes at the other replica")


def test_replicas_are_replaced_under_load_without_a_failed_request_or_a_lost_write(
    replicas: list[Replica], wait_until: Callable[..., Any]
) -> None:
    for replica in replicas:
        wait_until(replica.ready, SECONDS, "the replicas")
    with before(*(replica.served for replica in replicas)) as port:
        load = Load(port, replicas[0].served.tokens["admin"])
        load.start()
        wait_until(lambda: len(load.written) > 5 and load.streams, SECONDS, "some load")
        replicas[0].stop()
        wait_for_writes(load, wait_until)
        replicas[0].start()
        wait_until(replicas[0].ready, SECONDS, "the new replica")
        replicas[1].stop()
        wait_for_writes(load, wait_until)
        load.stop()
        wait_until(lambda: set(load.written) <= load.seen, SECONDS, "every write in the watch")
        kept = httpx.get(load.url, params={"page_size": 1000}, headers=load.headers, timeout=60).json()
        failed = list(load.failed)  # before nginx ends, and the open watch with it

    assert failed == []
    assert set(load.written) <= {item["id"] for item in kept}
    assert load.streams >= 2
