"""The audit: what leaves an entry, what an entry says and does not say, who may read it and how."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniConfig
from tests.e2e.cluster_steps import Made, Unique, Wait, problem
from tests.e2e.conftest import Served, omni_environ, start_gateway, stop_gateway

pytestmark = pytest.mark.slow

URL = "audit"
APPLIED = """\
metadata:
  type: MachineClasses.omni.sidero.dev
  id: {id}
  labels: {{shelf: "17-secret-value"}}
spec:
  matchlabels: ["omni.sidero.dev/platform = metal"]
"""


def entries(api: httpx.Client, **query: str) -> list[dict[str, Any]]:
    answer = api.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def entry_of(api: httpx.Client, answer: httpx.Response, wait_until: Wait) -> dict[str, Any]:
    """Return the entry that a request left."""
    id = answer.headers["X-Request-ID"]
    found = wait_until(lambda: entries(api, request_id=id), what=f"the entry of request {id}")
    assert len(found) == 1
    return dict(found[0])


@pytest.fixture
def patch(api: httpx.Client, made: Made, unique: Unique) -> httpx.Response:
    """A config patch is made; the answer to that."""
    id = f"500-{unique('patch')}"
    body = {
        "id": id,
        "data": "machine:\n  network: {}\n",
        "labels": {"omni.sidero.dev/machine": "none", "shelf": "17-x"},
    }
    answer = api.post("configpatches", json=body)
    assert answer.status_code == 201, answer.text
    made(f"configpatches/{id}")
    return answer


def test_a_create_says_who_did_what_to_which_object(api: httpx.Client, patch: httpx.Response, wait_until: Wait) -> None:
    entry = entry_of(api, patch, wait_until)
    said = {name: entry[name] for name in ("who", "auth", "role", "method", "route", "path", "resource", "object_id")}
    assert said == {
        "who": "test-admin",
        "auth": "token",
        "role": "admin",
        "method": "POST",
        "route": "/api/v1/configpatches",
        "path": "/api/v1/configpatches",
        "resource": "configpatches",
        "object_id": patch.json()["id"],
    }
    assert entry["caller_id"].startswith("token:")
    assert (entry["status"], entry["outcome"], entry["code"], entry["times"]) == (201, "done", "", 1)
    assert (entry["dry_run"], entry["replayed"], entry["remote"]) == (False, False, "127.0.0.1")
    assert 0 < entry["duration_ms"] < 60_000
    assert abs(datetime.fromisoformat(entry["time"]) - datetime.now(UTC)) < timedelta(minutes=2)


def test_of_a_body_there_are_the_names_and_no_values(
    api: httpx.Client, patch: httpx.Response, wait_until: Wait
) -> None:
    entry = entry_of(api, patch, wait_until)
    assert entry["changed"] == ["id", "data", "labels.omni.sidero.dev/machine", "labels.shelf"]
    assert "17-x" not in json.dumps(entry)


def test_a_dry_run_is_marked(api: httpx.Client, patch: httpx.Response, wait_until: Wait) -> None:
    url = f"configpatches/{patch.json()['id']}"
    answer = api.patch(url, params={"dry_run": "true"}, json={"labels": {"shelf": None}})
    entry = entry_of(api, answer, wait_until)
    assert (entry["dry_run"], entry["changed"], entry["object_id"]) == (True, ["labels.shelf"], patch.json()["id"])


def test_an_apply_names_its_documents(api: httpx.Client, made: Made, unique: Unique, wait_until: Wait) -> None:
    id = unique("class")
    made(f"machineclasses/{id}")
    answer = api.post("apply", content=APPLIED.format(id=id), headers={"Content-Type": "application/yaml"})
    assert answer.status_code == 200, answer.text
    entry = entry_of(api, answer, wait_until)
    assert entry["documents"] == [{"type": "MachineClasses.omni.sidero.dev", "id": id}]
    assert "17-secret-value" not in json.dumps(entry)


def test_a_cluster_is_named_where_it_is_the_object(api: httpx.Client, unique: Unique, wait_until: Wait) -> None:
    name = unique("none")
    entry = entry_of(api, api.delete(f"clusters/{name}"), wait_until)
    assert (entry["cluster"], entry["object_id"], entry["code"]) == (name, name, "not-found")


def test_a_role_too_low_leaves_an_entry_even_of_a_read(
    api: httpx.Client, reader: httpx.Client, wait_until: Wait
) -> None:
    entry = entry_of(api, reader.get("auth/users"), wait_until)
    assert (entry["who"], entry["method"], entry["status"]) == ("test-reader", "GET", 403)
    assert (entry["outcome"], entry["code"]) == ("denied", "forbidden")


def test_a_read_leaves_none(api: httpx.Client, reader: httpx.Client, patch: httpx.Response, wait_until: Wait) -> None:
    read = reader.get("machines")
    entry_of(api, api.delete("clusters/there-is-none"), wait_until)  # what came later is there
    assert entries(api, request_id=read.headers["X-Request-ID"]) == []


def test_a_repeated_request_is_marked(api: httpx.Client, unique: Unique, made: Made, wait_until: Wait) -> None:
    headers = {"Idempotency-Key": unique("key")}
    body = {"name": "e2e", "expiration_time": "2040-01-01T00:00:00Z"}
    first = api.post("join-tokens", json=body, headers=headers)
    made(f"join-tokens/{first.json()['id']}")
    again = api.post("join-tokens", json=body, headers=headers)
    assert entry_of(api, first, wait_until)["replayed"] is False
    assert entry_of(api, again, wait_until)["replayed"] is True


def test_the_list_is_paged_newest_first_and_counted(api: httpx.Client, reader: httpx.Client, wait_until: Wait) -> None:
    for _ in range(3):
        last = reader.get("auth/users")
    entry_of(api, last, wait_until)
    answer = api.get(URL, params={"who": "test-reader", "page_size": 2, "page": 1})
    counts = json.loads(answer.headers["X-Pagination"])
    assert counts["total"] >= 3
    assert counts["next_page"] == 2
    times = [item["time"] for item in answer.json()]
    assert len(times) == 2
    assert times == sorted(times, reverse=True)
    oldest = entries(api, who="test-reader", page_size="2", sort="time")
    assert [item["time"] for item in oldest] == sorted(item["time"] for item in oldest)
    assert oldest[0]["time"] <= times[-1]


def test_one_entry_can_be_read_and_cut_and_not_read_again(
    api: httpx.Client, patch: httpx.Response, wait_until: Wait
) -> None:
    entry = entry_of(api, patch, wait_until)
    answer = api.get(f"{URL}/{entry['id']}")
    assert answer.json() == entry
    assert api.get(f"{URL}/{entry['id']}", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert entries(api, request_id=entry["request_id"], fields="who")[0].keys() == {"id", "metadata", "who"}


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ({"method": "POST"}, True),
        ({"method": "DELETE"}, False),
        ({"resource": "configpatches"}, True),
        ({"resource": "clusters"}, False),
        ({"status": "201"}, True),
        ({"outcome": "denied"}, False),
        ({"who": "test-admin", "outcome": "done"}, True),
        ({"since": "2026-01-01T00:00:00Z"}, True),
        ({"since": "2999-01-01T00:00:00Z"}, False),
        ({"until": "2999-01-01T00:00:00Z"}, True),
        ({"search": "configpatches"}, True),
        ({"search": "no/such/path"}, False),
        ({"label_selector": "a=b"}, False),
    ],
)
def test_filters_choose(
    api: httpx.Client, patch: httpx.Response, wait_until: Wait, query: dict[str, str], fits: bool
) -> None:
    entry = entry_of(api, patch, wait_until)
    assert bool(entries(api, request_id=entry["request_id"], **query)) is fits


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"method": "BREW"}, "validation"),
        ({"status": "9"}, "validation"),
        ({"since": "yesterday"}, "validation"),
        ({"since": "2026-01-01T00:00:00"}, "validation"),
        ({"outcome": "good"}, "validation"),
        ({"sort": "who"}, "validation"),
        ({"whom": "ada"}, "unknown-parameter"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(api: httpx.Client, query: dict[str, str], code: str) -> None:
    problem(api.get(URL, params=query), 422, code)


def test_it_can_be_watched(api: httpx.Client, reader: httpx.Client, wait_until: Wait) -> None:
    headers = {"Accept": "application/x-ndjson"}
    with api.stream("GET", URL, params={"who": "test-reader"}, headers=headers, timeout=30) as stream:
        lines = (json.loads(line) for line in stream.iter_lines() if line.strip())
        for event in lines:
            if event["type"] == "BOOKMARK":
                break
        denied = reader.get("auth/users")
        event = next(event for event in lines if event["type"] == "ADDED")
    assert event["object"]["request_id"] == denied.headers["X-Request-ID"]


@pytest.fixture(scope="module")
def own(omni_config: OmniConfig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A gateway of this module's own whose audit goes to a file."""
    folder = tmp_path_factory.mktemp("audited")
    running = start_gateway(
        folder,
        {
            **omni_environ(omni_config),
            "OMNI_GATEWAY_AUDIT_FILE": str(folder / "audit.log"),
            "OMNI_GATEWAY_WORKERS": "2",
            "OMNI_GATEWAY_REQUEST_TIMEOUT": "2",
        },
    )
    yield running, folder / "audit.log"
    stop_gateway(running)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_the_line_in_the_file_says_what_the_entry_says(own: tuple[Served, Path], wait_until: Wait) -> None:
    served, file = own
    headers = {"Authorization": f"Bearer {served.tokens['admin']}"}
    with httpx.Client(base_url=f"{served.url}/api/v1/", headers=headers) as api:
        answer = api.delete("clusters/there-is-none")
        entry = entry_of(api, answer, wait_until)
    line = next(line for line in lines(file) if line["request_id"] == answer.headers["X-Request-ID"])
    assert {name: entry[name] for name in line} == line
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["%0A{%22who%22:%22admin%22}", "%0D%0Ax", "%22,%22who%22:%22root", "%E2%80%A8x", "%1B[31m"]
)
def test_whatever_a_url_holds_a_line_stays_one_line_of_json(
    own: tuple[Served, Path], wait_until: Wait, text: str
) -> None:
    served, file = own
    headers = {"Authorization": f"Bearer {served.tokens['admin']}", "X-Request-ID": f"inject-{secrets.token_hex(4)}"}
    httpx.delete(f"{served.url}/api/v1/clusters/x{text}", headers=headers)
    found = wait_until(lambda: [line for line in lines(file) if line["request_id"] == headers["X-Request-ID"]])
    assert [line["who"] for line in found] == ["test-admin"]
    assert all(re.fullmatch(r"[ -~\u0080-\U0010ffff]+", line) for line in file.read_text().split("\n") if line)


HEAD = "{} /api/v1/clusters/{}?token=17-secret HTTP/1.1\r\nHost: a\r\n"
#: What is sent, and what the server answers before the application sees it; ``408``: nothing more comes.
REFUSED = [
    (HEAD + "Content-Length: 99999999\r\n\r\n", 413, "too-large"),
    (HEAD + "Transfer-Encoding: chunked\r\n\r\nnone\r\n", 400, "bad-request"),
    (HEAD + "X: " + "y" * 70_000, 431, "headers-too-large"),
    (HEAD + "X: y", 408, "request-timeout"),
]


@pytest.mark.parametrize(("text", "status", "code"), REFUSED, ids=[str(status) for _, status, _ in REFUSED])
def test_what_the_server_itself_refuses_leaves_a_line_and_an_entry(
    own: tuple[Served, Path], wait_until: Wait, text: str, status: int, code: str
) -> None:
    served, file = own
    id = f"refused-{secrets.token_hex(4)}"
    with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=20) as client:
        client.sendall(text.format("POST", id).encode())
        assert f" {status} ".encode() in client.recv(4096).partition(b"\r\n")[0]
    path = f"/api/v1/clusters/{id}"
    (line,) = wait_until(lambda: [line for line in lines(file) if line["path"] == path], what="the line")
    said = {name: line[name] for name in ("method", "status", "code", "who", "remote")}
    assert said == {"method": "POST", "status": status, "code": code, "who": "", "remote": "127.0.0.1"}
    assert "17-secret" not in file.read_text()
    headers = {"Authorization": f"Bearer {served.tokens['admin']}"}
    with httpx.Client(base_url=f"{served.url}/api/v1/", headers=headers) as api:
        (entry,) = wait_until(lambda: entries(api, search=id), what="the entry")
    assert {name: entry[name] for name in line} == line


def test_a_read_that_the_server_refuses_leaves_none(own: tuple[Served, Path], wait_until: Wait) -> None:
    served, file = own
    ids = [f"refused-{secrets.token_hex(4)}" for _ in range(2)]
    for method, id in zip(("GET", "DELETE"), ids, strict=True):
        with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=20) as client:
            client.sendall((HEAD.format(method, id) + "Content-Length: 99999999\r\n\r\n").encode())
            assert b" 413 " in client.recv(4096).partition(b"\r\n")[0]
    wait_until(lambda: ids[1] in file.read_text(), what="the line of the DELETE")
    assert ids[0] not in file.read_text()


def test_what_waits_is_in_the_store_after_a_stop(omni_config: OmniConfig, tmp_path: Path, wait_until: Wait) -> None:
    served = start_gateway(tmp_path, omni_environ(omni_config))
    for _ in range(20):
        last = httpx.get(f"{served.url}/api/v1/machines")
    assert last.status_code == 401
    stop_gateway(served)
    query = "SELECT sum(times) FROM audit WHERE status = 401"
    with sqlite3.connect(tmp_path / "gateway.sqlite") as database:
        assert database.execute(query).fetchone() == (20,)


def test_a_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    environ = {"OMNI_GATEWAY_AUDIT_FILE": str(tmp_path / "no" / "folder"), "OMNI_GATEWAY_STATE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "omni_gateway.cli", "serve", "--bind", "127.0.0.1:0"]
    ended = subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert "OMNI_GATEWAY_AUDIT_FILE cannot be written" in ended.stderr
