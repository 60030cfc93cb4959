"""Under a server that carries no streams, a fed watch is written by its request's thread, and tells the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.omni import OmniClient
from omni_gateway.settings import Settings
from omni_gateway.store import Store
from omni_gateway.watch import stream_response

from .conftest import Caller
from .streams import told

CLASSES = "MachineClasses.omni.sidero.dev"
NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def fed(settings: Settings, tokens: dict[str, str], wait_until: Callable[..., Any]) -> Flask:
    """An application that keeps what its watches tell, and has places for two of those who take a thread."""
    made = create_app(replace(settings, cache_bytes=64 * 1024 * 1024, max_streams=2, max_streams_per_caller=2))
    reader = Caller(made.test_client(), tokens["reader"])
    wait_until(lambda: reader.get("machineclasses").headers["Cache-Status"].endswith("hit"), 45, "a hit")
    return made


def watch(app: Flask, token: str) -> Any:
    return Caller(app.test_client(), token).get("machineclasses", headers=NDJSON, buffered=False)


def until(answer: Any, type: str) -> Any:
    """Return the next event of a type."""
    for event in told(answer):
        if event["type"] == type:
            return event
    raise AssertionError("the stream has ended")


def test_each_change_is_told_to_all(fed: Flask, omni: OmniClient, tokens: dict[str, str]) -> None:
    answers = [watch(fed, tokens["reader"]) for _ in range(2)]
    points = {until(answer, "BOOKMARK")["resume_point"] for answer in answers}
    omni.resources.create(CLASSES, "fed", {"match_labels": ["a = b"]})
    told = [until(answer, "ADDED") for answer in answers]
    omni.resources.remove(CLASSES, "fed")
    gone = [until(answer, "DELETED") for answer in answers]
    for answer in answers:
        answer.close()
    assert len(points) == 1
    assert told[0] == told[1] and told[0]["object"]["id"] == "fed"
    assert gone[0] == gone[1] and gone[0]["resume_point"] != told[0]["resume_point"]


def test_it_takes_a_place_among_those_that_hold_a_thread_and_gives_it_back(fed: Flask, tokens: dict[str, str]) -> None:
    answers = [watch(fed, tokens[role]) for role in ("reader", "admin")]
    refused = watch(fed, tokens["operator"])
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    for answer in answers:
        answer.close()
    again = watch(fed, tokens["operator"])
    assert again.status_code == 200
    again.close()


def test_it_beats_and_ends_when_its_callers_token_is_revoked(
    fed: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_response, "PROVED_SECONDS", 0.2)
    monkeypatch.setattr(stream_response, "HEARTBEAT_SECONDS", 0.1)
    tokens = Store(settings.database_url).tokens
    token, secret = tokens.create("to-be-revoked-too", "reader", None)
    answer = watch(fed, secret)
    until(answer, "HEARTBEAT")
    tokens.revoke(token.id)
    assert until(answer, "ERROR")["object"]["code"] == "unauthenticated"
    assert b"".join(answer.response) == b""
    answer.close()


def test_a_stop_of_the_process_ends_it(fed: Flask, tokens: dict[str, str]) -> None:
    answer = watch(fed, tokens["reader"])
    until(answer, "BOOKMARK")
    stream_response.close_all()
    assert b"".join(answer.response) == b""
    answer.close()
