"""What callers see while the gateway's own database cannot be used."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from omni_gateway.app import create_app
from omni_gateway.rest.gateway import EXTENSION, Gateway
from omni_gateway.settings import Settings

from .conftest import Caller

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undocumented")]

STORE_SECONDS = 0.5
GRACE = 3.0
DOCUMENT = {"name": "n", "issuer_url": "https://login.example.com", "client_id": "c"}


class World:
    """A gateway with a store of its own that can be taken away."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = replace(settings, state_dir=folder, store_timeout=STORE_SECONDS, store_grace=GRACE)
        self.file = folder / "gateway.sqlite"
        self.app = create_app(self.settings)
        self.store.wait(30)
        self.id, self.token = self.make_token("known")
        self.other = self.make_token("other")[1]
        self.api = Caller(self.app.test_client(), self.token)
        assert self.api.get("auth/whoami").status_code == 200

    @property
    def store(self) -> Any:
        gateway: Gateway = self.app.extensions[EXTENSION]
        return gateway.store

    def make_token(self, name: str) -> tuple[str, str]:
        token, secret = self.store.tokens.create(name, "admin", None)
        return token.id, secret

    @contextmanager
    def without_store(self) -> Iterator[None]:
        """The file is gone, as when its volume is."""
        away = self.file.with_name("away")
        self.file.rename(away)
        yield
        away.rename(self.file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another process holds the lock that writes take."""
        other = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
        other.close()


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> World:
    return World(settings, tmp_path)


def seen(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, (answer.json or {}).get("code", "")


def away(answer: TestResponse) -> bool:
    problem = answer.json
    assert (answer.status_code, problem["code"], problem["retryable"]) == (503, "store-unavailable", True), answer.text
    return int(answer.headers["Retry-After"]) >= 1


def test_what_needs_the_store_is_503_with_its_own_code_and_one_line_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with world.without_store():
        answers = [
            world.api.get("auth/tokens"),
            world.api.get(f"auth/tokens/{world.id}"),
            world.api.post("auth/tokens", json={"name": "n"}),
            world.api.delete(f"auth/tokens/{world.id}"),
            world.api.get("oidc/providers"),
            world.api.post("oidc/providers", json=DOCUMENT),
            world.api.get("audit"),
            world.api.post("schematics", json={"extra_kernel_args": []}),
            world.api.post("auth/tokens", json={"name": "n"}, headers={"Idempotency-Key": "k"}),
        ]
    assert all(away(answer) for answer in answers)
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert len([line for line in errors if "the store cannot be read" in line]) == 1
    assert len([line for line in errors if "the store cannot be written" in line]) == 1
    assert [record for record in caplog.records if record.exc_info] == []


def test_known_tokens_go_on_and_unknown_ones_cannot_be_judged(world: World) -> None:
    stranger = Caller(world.app.test_client(), "ogw_" + "x" * 43)
    with world.without_store():
        assert world.api.get("machines?page_size=1").status_code == 200
        assert away(stranger.get("machines"))
        assert away(Caller(world.app.test_client(), world.other).get("machines"))  # nobody has used it here
        assert seen(Caller(world.app.test_client(), None).get("machines")) == (401, "unauthenticated")


def test_a_known_token_counts_no_longer_than_the_time_of_grace(world: World, wait_until: Callable[..., Any]) -> None:
    begin = time.monotonic()
    with world.without_store():
        wait_until(lambda: world.api.get("auth/whoami").status_code == 503, what="the end of the time of grace")
        assert time.monotonic() - begin > GRACE - 1.5
    assert world.api.get("auth/whoami").status_code == 200


def test_a_store_that_is_back_is_used_at_once(world: World) -> None:
    with world.without_store():
        assert away(world.api.get("auth/tokens"))
    assert world.api.get("auth/tokens").status_code == 200
    assert world.api.post("auth/tokens", json={"name": "n"}).status_code == 201


def test_a_locked_database_is_read_and_its_writes_are_503_in_time(world: World) -> None:
    with world.locked():
        began = time.monotonic()
        assert away(world.api.post("auth/tokens", json={"name": "n"}))
        assert time.monotonic() - began < STORE_SECONDS + 10
        assert world.api.get("auth/tokens").status_code == 200
        assert world.api.get("machines?page_size=1").status_code == 200


def test_an_action_under_a_key_is_not_done_when_the_key_cannot_be_claimed(world: World) -> None:
    before = {item["id"] for item in world.api.get("join-tokens").json}
    with world.locked():
        answer = world.api.post("join-tokens", json={"name": "locked"}, headers={"Idempotency-Key": "claim"})
        assert away(answer)
    assert {item["id"] for item in world.api.get("join-tokens").json} == before


def test_the_use_of_a_token_waits_for_nothing(world: World) -> None:
    seconds = []
    for name in ("one", "two", "three", "four", "five"):  # the fastest: a busy machine makes one of them wait
        fresh = Caller(world.app.test_client(), world.make_token(name)[1])
        with world.locked():
            began = time.monotonic()
            assert fresh.get("auth/whoami").status_code == 200
            seconds.append(time.monotonic() - began)
    assert min(seconds) < STORE_SECONDS


def test_many_callers_at_once_are_answered_in_time(world: World) -> None:
    with world.locked():
        began = time.monotonic()
        seen: list[int] = []

        def create() -> None:
            seen.append(
                Caller(world.app.test_client(), world.token).post("auth/tokens", json={"name": "n"}).status_code
            )

        threads = [threading.Thread(target=create) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [503] * 12
        assert time.monotonic() - began < STORE_SECONDS + 5  # one after another they take six


def test_readyz_names_the_store(world: World) -> None:
    client = world.app.test_client()
    assert client.get("/readyz").json["checks"]["store"]["status"] == "ok"
    with world.without_store():
        failed = client.get("/readyz").json
    assert failed["checks"]["store"]["reason"] == "The store cannot be reached."
    assert failed["checks"]["omni"]["status"] == "ok"
    assert client.get("/readyz").json["checks"]["store"]["status"] == "ok"


def test_a_stream_of_stored_objects_ends_with_the_same_problem(world: World) -> None:
    with world.api.get("oidc/providers", headers={"Accept": "application/x-ndjson"}) as answer:
        lines = (json.loads(line) for piece in answer.response for line in bytes(piece).splitlines())
        assert next(line for line in lines if line["type"] == "BOOKMARK")
        with world.without_store():
            last = next(line for line in lines if line["type"] == "ERROR")
    assert (last["object"]["status"], last["object"]["code"]) == (503, "store-unavailable")


def test_a_damaged_database_is_503_and_never_a_defect_of_the_gateway(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "gateway.sqlite").write_bytes(b"no database" * 1000)
    app: Flask = create_app(replace(settings, state_dir=tmp_path, store_timeout=STORE_SECONDS))
    answer = Caller(app.test_client(), "ogw_" + "x" * 43).get("machines")
    assert away(answer)
    assert answer.json["detail"] == "The store's database is damaged."


def test_a_ticket_of_a_stream_is_neither_made_nor_spent_without_the_store(
    world: World, wait_until: Callable[..., Any]
) -> None:
    body, page = {"url": "/api/v1/machineclasses"}, Caller(world.app.test_client(), None)

    def opened(url: str) -> TestResponse:
        answer: TestResponse = page.get(url, headers={"Accept": "text/event-stream"}, buffered=False)
        answer.close()
        return answer

    url = world.api.post("stream-tickets", json=body).json["url"]
    with world.without_store():
        refused = [seen(world.api.post("stream-tickets", json=body)), seen(opened(url))]
    assert refused == [(503, "store-unavailable")] * 2
    wait_until(lambda: opened(url).status_code == 200, what="the store")
