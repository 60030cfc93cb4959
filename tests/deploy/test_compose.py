"""``deploy/compose/``: a file of the Compose specification, and services that outlive the loss of each replica."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import jsonschema
import pytest

from omni_gateway.simulator.embedded import RunningSimulator
from tests.deploy import topology
from tests.deploy.topology import Replica, Topology
from tests.services.conftest import needs_nginx, needs_redis
from tests.services.conftest import postgresql as postgresql  # a fixture
from tests.services.postgres import PostgreSQL

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(900)]

#: Has the JSON schema of the Compose specification.
MODULE = "github.com/compose-spec/compose-go/v2@v2.16.2"
SECONDS = 120.0
CALLERS = 3
#: Between two steps of a caller, for the machine's sake.
PAUSE_SECONDS = 0.05
#: What a client of a service behind a proxy sends again.
RETRIED = (502, 503, 504)


@pytest.fixture(scope="module")
def schema() -> Any:
    if shutil.which("go") is None:
        pytest.skip("go is missing, which fetches the schema of the Compose specification")
    done = subprocess.run(
        ["go", "mod", "download", "-json", MODULE], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        pytest.skip(f"the schema of the Compose specification cannot be fetched: {done.stdout}{done.stderr}")
    return json.loads(Path(json.loads(done.stdout)["Dir"], "schema", "compose-spec.json").read_text())


def test_the_file_is_as_the_compose_specification_has_it(schema: Any) -> None:
    checker = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in checker.iter_errors(topology.compose())] == []


def test_a_misspelt_key_of_a_service_would_be_found(schema: Any) -> None:
    document = topology.compose()
    document["services"]["nginx"]["read-only"] = True
    checker = jsonschema.validators.validator_for(schema)(schema)
    assert ["read-only" in error.message for error in checker.iter_errors(document)] == [True]


def test_every_secret_is_declared_made_and_readable_for_the_users_of_the_containers(tmp_path: Path) -> None:
    topology.make_secrets(tmp_path / "secrets")
    declared = topology.compose()["secrets"]
    made = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "secrets").iterdir()}
    used = {secret for service in topology.compose()["services"].values() for secret in service.get("secrets", [])}
    assert set(declared) == used
    assert made == dict.fromkeys(used - {"omni-service-account-key"}, 0o444)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_secrets_that_are_there_stay(tmp_path: Path) -> None:
    topology.make_secrets(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    topology.make_secrets(tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_every_variable_of_the_gateway_is_a_setting(tmp_path: Path) -> None:
    topology.make_secrets(tmp_path)
    (tmp_path / "omni-service-account-key").write_text("not looked at here")
    environ = topology.environ_of("gateway-1", tmp_path, {"OMNI_ENDPOINT": "https://omni.example.com"})
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OMNI")}
    command = [sys.executable, "-m", "omni_gateway.cli", "config", "check", "--output", "json"]
    checked = subprocess.run(
        command, env=inherited | environ, cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert json.loads(checked.stdout)["unknown"] == []


@pytest.fixture
def services(
    postgresql: PostgreSQL,
    simulator: RunningSimulator,
    tmp_path_factory: pytest.TempPathFactory,
    wait_until: Callable[..., Any],
) -> Iterator[Topology]:
    with topology.running(tmp_path_factory.mktemp("compose"), postgresql, simulator, wait_until) as running:
        yield running


class Caller:
    """Writes objects of its own and reads them back; sends again what a proxy answers for a replica that is gone."""

    def __init__(self, name: str, client: httpx.Client, go_on: Callable[[], bool]) -> None:
        self._name, self._client, self._go_on = name, client, go_on
        #: What was acknowledged: the value of each object.
        self.written: dict[str, str] = {}
        self.wrong: list[str] = []
        self.seconds: list[float] = []
        self.sent_again = 0

    def run(self) -> None:
        while self._go_on():
            try:
                self._step(len(self.written))
            except (AssertionError, KeyError, ValueError) as error:
                self.wrong.append(f"{self._name}: {error!r}")

    def _step(self, number: int) -> None:
        id = f"{self._name}-{number}"
        self._create(id, "created")
        self._read(id)
        answer = self._send("PATCH", f"/{id}", json=_body("changed"))
        assert answer.status_code == 200, answer.text
        self.written[id] = "changed"
        self._read(id)

    def _create(self, id: str, value: str) -> None:
        answer = self._send("POST", "", json={"id": id, **_body(value)}, headers={"Idempotency-Key": id})
        if answer.status_code == 409:  # the replica was killed before it had answered: look, as the problem says
            answer = self._send("GET", f"/{id}", headers={"Cache-Control": "no-cache"})
        if answer.status_code == 404:
            answer = self._send("POST", "", json={"id": id, **_body(value)})
        assert answer.status_code in (200, 201), answer.text
        assert answer.json()["match_labels"] == _body(value)["match_labels"]
        self.written[id] = value

    def _read(self, id: str) -> None:
        answer = self._send("GET", f"/{id}", headers={"Cache-Control": "no-cache"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["match_labels"] == _body(self.written[id])["match_labels"]

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request until it is answered by a gateway; its time is that of all tries."""
        started = time.monotonic()
        while time.monotonic() < started + SECONDS:
            try:
                answer = self._client.request(method, f"/api/v1/machineclasses{path}", **options)
            except httpx.TransportError as error:
                raise AssertionError(f"nginx did not answer: {error!r}") from error
            if answer.status_code not in RETRIED:
                self.seconds.append(time.monotonic() - started)
                return answer
            self.sent_again += 1
            pause.wait(PAUSE_SECONDS)
        raise AssertionError(f"{method} {path}: {answer.status_code} for {SECONDS} s: {answer.text}")


#: Never set: waits for a time.
pause = Event()


def _body(value: str) -> dict[str, Any]:
    return {"match_labels": [f"omni.sidero.dev/platform = {value}"]}


@needs_nginx
@needs_redis
def test_replicas_are_killed_one_by_one_under_load_without_a_wrong_answer_or_a_lost_write(
    services: Topology, wait_until: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    token = (services.secrets / "bootstrap-token").read_text().strip()
    stop = Event()
    options: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"}, "verify": False, "timeout": 100}
    with httpx.Client(base_url=services.url, **options) as client:
        callers = [Caller(f"compose-{n}", client, lambda: not stop.wait(PAUSE_SECONDS)) for n in range(CALLERS)]
        threads = [Thread(target=caller.run, daemon=True) for caller in callers]
        for thread in threads:
            thread.start()

        def wait_for_writes() -> None:
            before = [len(caller.written) for caller in callers]
            goal = [count + 3 for count in before]
            wait_until(lambda: all(len(c.written) >= g for c, g in zip(callers, goal, strict=True)), SECONDS, "writes")

        def lose(replica: Replica, end: Callable[[], Any]) -> Any:
            wait_for_writes()
            status = end()
            wait_for_writes()
            replica.start()
            return status

        for replica in services.replicas:
            lose(replica, replica.kill)
        stopped = [lose(replica, replica.stop) for replica in services.replicas]
        wait_for_writes()
        stop.set()
        for thread in threads:
            thread.join(SECONDS)
        listed = client.get("/api/v1/machineclasses?page_size=1000", headers={"Cache-Control": "no-cache"}).json()

    kept = {item["id"]: item["match_labels"] for item in listed}
    acknowledged = {id: value for caller in callers for id, value in caller.written.items()}
    seconds = sorted(time for caller in callers for time in caller.seconds)
    with capsys.disabled():
        print(
            f"\n{len(seconds)} requests, {sum(caller.sent_again for caller in callers)} sent again, median"
            f" {statistics.median(seconds) * 1000:.0f} ms, p99 {seconds[len(seconds) * 99 // 100] * 1000:.0f} ms,"
            f" slowest {seconds[-1] * 1000:.0f} ms"
        )
    assert [wrong for caller in callers for wrong in caller.wrong] == []
    assert {id: kept.get(id) for id in acknowledged} == {
        id: _body(value)["match_labels"] for id, value in acknowledged.items()
    }
    assert stopped == [0, 0]
    # It was this PostgreSQL that both replicas kept their answers in.
    assert int(services.postgresql.ask("gateway", "SELECT count(*) FROM idempotency_keys")) >= len(acknowledged)
