"""A stream that is open ends soon after its caller's credential does: it would tell for an hour otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.store import Store
from omni_gateway.watch import stream_response

from .conftest import Caller
from .streams import told

pytestmark = pytest.mark.slow

SECONDS = 30.0


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_response, "PROVED_SECONDS", 0.1)
    monkeypatch.setattr(stream_response, "HEARTBEAT_SECONDS", 0.1)  # of streams that are pushed
    monkeypatch.setattr(
        stream_response.stream, "__kwdefaults__", {**stream_response.stream.__kwdefaults__, "heartbeat": 0.1}
    )


def events(answer: Any, seconds: float = SECONDS) -> Iterator[dict[str, Any]]:
    """Return what a stream tells, for so long."""
    ends = time.monotonic() + seconds
    for event in told(answer):
        yield event
        if time.monotonic() > ends:
            return


def watch(caller: Caller) -> Any:
    answer = caller.get("machineclasses", headers={"Accept": "application/x-ndjson"}, buffered=False)
    assert answer.status_code == 200
    return answer


def last_of(answer: Any) -> dict[str, Any]:
    told = list(events(answer))
    answer.close()
    return told[-1]


def test_a_watch_by_a_token_ends_when_it_is_revoked(app: Flask, settings: Settings) -> None:
    tokens = Store(settings.database_url).tokens
    token, secret = tokens.create("to-be-revoked", "reader", None)
    answer = watch(Caller(app.test_client(), secret))
    tokens.revoke(token.id)
    end = last_of(answer)
    assert (end["type"], end["object"]["code"]) == ("ERROR", "unauthenticated")


def test_a_watch_by_an_omni_key_ends_when_omni_takes_it_no_more(
    app: Flask, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_gateway.auth.omni_key.FRESH_SECONDS", 0.1)
    key = api.post("auth/service-accounts", json={"id": "watcher", "role": "Reader"}).json["key"]
    answer = watch(Caller(app.test_client(), key))
    assert api.delete("auth/service-accounts/watcher").status_code in (202, 204)
    end = last_of(answer)
    assert (end["type"], end["object"]["code"]) == ("ERROR", "unauthenticated")


def test_a_watch_goes_on_while_its_credential_does(
    app: Flask, simulator: RunningSimulator, tokens: dict[str, str], wait_until: Callable[..., Any]
) -> None:
    for credential in (tokens["reader"], simulator.make_key("Reader")):
        answer = watch(Caller(app.test_client(), credential))
        told = list(events(answer, seconds=1.0))
        answer.close()
        assert told[-1]["type"] == "HEARTBEAT"
