"""A page without a token opens a stream by a ticket: once, at one URL, for a minute, with the rights of its caller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from omni_gateway.app import create_app
from omni_gateway.http import stream_tickets
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.store import Store
from omni_gateway.watch import stream_response

from .conftest import Caller

EVENTS = {"Accept": "text/event-stream"}
CLASSES = "/api/v1/machineclasses"
ORIGIN = "https://portal.example"


def ticket_of(caller: Caller, url: str = CLASSES) -> dict[str, str]:
    answer: Any = caller.post("stream-tickets", json={"url": url})
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def open_stream(page: Caller, url: str) -> Any:
    return page.get(url, headers=EVENTS, buffered=False)


def beginning(answer: Any) -> str:
    """Return what a stream sends up to its bookmark, and leave it."""
    assert answer.status_code == 200, answer.text
    sent = ""
    for piece in answer.response:
        sent += piece.decode()
        if "event: BOOKMARK" in sent:
            break
    answer.close()
    return sent


def ids(sent: str) -> list[str]:
    lines = [line.removeprefix("data: ") for line in sent.splitlines() if line.startswith('data: {"id"')]
    return [json.loads(line)["id"] for line in lines]


def refusal(answer: Any) -> tuple[int, str]:
    code = answer.json["code"] if answer.is_json else ""
    answer.close()
    return answer.status_code, code


@pytest.fixture
def machine_class(api: Caller) -> Iterator[str]:
    api.post("machineclasses", json={"id": "ticketed", "match_labels": ["a = b"]})
    yield "ticketed"
    api.delete("machineclasses/ticketed")


def test_a_page_opens_a_watch_without_a_token(reader: Caller, anonymous: Caller, machine_class: str) -> None:
    ticket = ticket_of(reader)
    assert ticket["url"] == f"{CLASSES}?ticket={ticket['ticket']}"
    assert machine_class in ids(beginning(open_stream(anonymous, ticket["url"])))


def test_a_page_opens_it_under_the_url_that_its_browser_makes_of_it(
    reader: Caller, anonymous: Caller, machine_class: str
) -> None:
    url = f"{CLASSES}?label_selector=a in (b, ü)&view=summary"
    ticket = ticket_of(reader, url)["ticket"]
    in_browser = f"{CLASSES}?label_selector=a%20in%20(b,%20%C3%BC)&view=summary&ticket={ticket}"
    assert ids(beginning(open_stream(anonymous, in_browser))) == []


def test_a_ticket_opens_one_stream(reader: Caller, anonymous: Caller) -> None:
    url = ticket_of(reader)["url"]
    beginning(open_stream(anonymous, url))
    again: Any = open_stream(anonymous, url)
    assert "used before" in again.json["detail"]
    assert refusal(again) == (401, "bad-ticket")


def test_a_ticket_expires(reader: Caller, anonymous: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_tickets, "VALID_SECONDS", 0)
    answer: Any = open_stream(anonymous, ticket_of(reader)["url"])
    assert "expired" in answer.json["detail"]
    assert refusal(answer) == (401, "bad-ticket")


@pytest.mark.parametrize(
    "other", ["/api/v1/clusters?", f"{CLASSES}/x?view=full&", f"{CLASSES}?", f"{CLASSES}?view=full&page=1&"]
)
def test_a_ticket_is_for_one_url_and_spent_at_another(reader: Caller, anonymous: Caller, other: str) -> None:
    ticket = ticket_of(reader, f"{CLASSES}?view=full")
    elsewhere = open_stream(anonymous, f"{other}ticket={ticket['ticket']}")
    assert refusal(elsewhere) == (401, "bad-ticket")
    assert refusal(open_stream(anonymous, ticket["url"])) == (401, "bad-ticket")


@pytest.mark.parametrize(
    ("method", "accept"),
    [
        ("get", "application/json"),
        ("get", "*/*"),
        ("get", "application/x-ndjson"),
        ("get", "text/event-stream, application/json"),
        ("head", "text/event-stream"),
        ("post", "text/event-stream"),
    ],
)
def test_a_ticket_is_for_a_get_of_an_event_stream_only(
    reader: Caller, anonymous: Caller, method: str, accept: str
) -> None:
    url = ticket_of(reader)["url"]
    answer = getattr(anonymous, method)(url, headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    beginning(open_stream(anonymous, url))  # it was not spent


@pytest.mark.parametrize("ticket", ["", "x", "ogw_ticket_ffffffff_" + "A" * 43, "a&ticket=b"])
def test_what_is_no_ticket_is_refused(anonymous: Caller, ticket: str) -> None:
    assert refusal(open_stream(anonymous, f"{CLASSES}?ticket={ticket}")) == (401, "bad-ticket")


@pytest.mark.usefixtures("undocumented")
def test_guessed_tickets_count_as_failed_logins_and_old_ones_do_not(
    settings: Settings, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = create_app(replace(settings, failed_logins="2/hour"))
    page, caller = Caller(limited.test_client(), None), Caller(limited.test_client(), tokens["reader"])
    used = ticket_of(caller)["url"]
    beginning(open_stream(page, used))
    old = [refusal(open_stream(page, used)) for _ in range(3)]
    guessed = [refusal(open_stream(page, f"{CLASSES}?ticket=guess{number}")) for number in range(3)]
    assert old == [(401, "bad-ticket")] * 3
    assert guessed == [(401, "bad-ticket")] * 2 + [(429, "too-many-failed-logins")]


@pytest.mark.usefixtures("undocumented")
def test_a_revoked_caller_opens_nothing(app: Flask, settings: Settings, anonymous: Caller) -> None:
    tokens = Store(settings.database_url).tokens
    token, secret = tokens.create("revoked-before", "reader", None)
    url = ticket_of(Caller(app.test_client(), secret))["url"]
    tokens.revoke(token.id)
    fresh = Caller(create_app(settings).test_client(), None)  # no worker that remembers the token
    assert refusal(open_stream(fresh, url)) == (401, "unauthenticated")


def test_a_stream_of_a_revoked_caller_ends(
    app: Flask, settings: Settings, anonymous: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_response, "PROVED_SECONDS", 0.1)
    monkeypatch.setattr(stream_response, "HEARTBEAT_SECONDS", 0.1)
    tokens = Store(settings.database_url).tokens
    token, secret = tokens.create("revoked-meanwhile", "reader", None)
    answer = open_stream(anonymous, ticket_of(Caller(app.test_client(), secret))["url"])
    tokens.revoke(token.id)
    last = b"".join(answer.response).decode().strip().rpartition("\n\n")[2]
    assert last.startswith("event: ERROR") and '"unauthenticated"' in last


def test_a_page_sees_what_its_caller_may_see(
    app: Flask, api: Caller, settings: Settings, anonymous: Caller, machine_class: str
) -> None:
    for cluster in ("ticket-in", "ticket-out"):
        assert api.post("clusters", json={"id": cluster}).status_code == 201
    _, secret = Store(settings.database_url).tokens.create("some-clusters", "reader", None, ["ticket-in"])
    url = ticket_of(Caller(app.test_client(), secret), "/api/v1/clusters")["url"]
    seen = ids(beginning(open_stream(anonymous, url)))
    for cluster in ("ticket-in", "ticket-out"):
        api.delete(f"clusters/{cluster}")
    assert seen == ["ticket-in"]


def test_a_page_has_the_role_of_its_caller(reader: Caller, anonymous: Caller) -> None:
    assert refusal(open_stream(anonymous, ticket_of(reader, "/api/v1/auth/tokens")["url"])) == (403, "forbidden")


def test_a_caller_with_an_omni_key_has_tickets_too(app: Flask, simulator: RunningSimulator, anonymous: Caller) -> None:
    caller = Caller(app.test_client(), simulator.make_key("Reader"))
    beginning(open_stream(anonymous, ticket_of(caller)["url"]))


@pytest.mark.usefixtures("undocumented")
def test_without_authentication_a_ticket_is_that_of_anybody(settings: Settings) -> None:
    everybody = Caller(create_app(replace(settings, auth=("off",))).test_client(), None)
    beginning(open_stream(everybody, ticket_of(everybody)["url"]))


@pytest.mark.usefixtures("undocumented")
def test_a_ticket_of_anybody_is_none_once_callers_have_credentials(settings: Settings, anonymous: Caller) -> None:
    everybody = Caller(create_app(replace(settings, auth=("off",))).test_client(), None)
    assert refusal(open_stream(anonymous, ticket_of(everybody)["url"])) == (401, "bad-ticket")


def test_a_page_goes_on_where_the_stream_before_ended(
    api: Caller, reader: Caller, anonymous: Caller, machine_class: str
) -> None:
    sent = beginning(open_stream(anonymous, ticket_of(reader)["url"]))
    point = sent.partition("event: BOOKMARK\nid: ")[2].partition("\n")[0]
    api.post("machineclasses", json={"id": "made-later", "match_labels": ["a = b"]})
    rest = beginning(open_stream(anonymous, ticket_of(reader, f"{CLASSES}?resume_point={point}")["url"]))
    api.delete("machineclasses/made-later")
    assert "made-later" in ids(rest)


def test_a_dry_run_checks_the_url_and_makes_no_ticket(reader: Caller) -> None:
    good: Any = reader.post("stream-tickets?dry_run=true", json={"url": CLASSES})
    bad: Any = reader.post("stream-tickets?dry_run=true", json={"url": "/livez"})
    assert (good.status_code, good.json) == (200, {"ticket": None, "url": CLASSES, "expires": None})
    assert bad.status_code == 422


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/api/v1/clusters",
        "//evil.example/api/v1/clusters",
        "/api/v1/clusters#part",
        "/api/v1/clusters?ticket=another",
        "/api/v1/auth/can-i?resource=clusters&verb=list",
        "/api/v1/nothing",
        "/livez",
        "clusters",
        "http://[",
    ],
)
def test_a_ticket_is_for_a_stream_of_this_api(reader: Caller, url: str) -> None:
    answer: Any = reader.post("stream-tickets", json={"url": url})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["url"])


def test_unused_tickets_of_one_caller_are_bounded(
    reader: Caller, api: Caller, anonymous: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_tickets, "MOST_UNUSED", 0)
    refused: Any = reader.post("stream-tickets", json={"url": CLASSES})
    assert refusal(refused) == (429, "too-many-tickets")
    assert refused.headers["Retry-After"] == "60"


def test_tickets_that_were_used_make_room(
    app: Flask, settings: Settings, anonymous: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_tickets, "MOST_UNUSED", 1)
    _, secret = Store(settings.database_url).tokens.create("bounded", "reader", None)
    caller = Caller(app.test_client(), secret)
    first = ticket_of(caller)
    refused = refusal(caller.post("stream-tickets", json={"url": CLASSES}))
    beginning(open_stream(anonymous, first["url"]))
    assert (refused, bool(ticket_of(caller))) == ((429, "too-many-tickets"), True)


def test_a_ticket_is_replayed_to_its_credential_only(reader: Caller) -> None:
    key = {"Idempotency-Key": "one-ticket"}
    first, again = (reader.post("stream-tickets", json={"url": CLASSES}, headers=key) for _ in range(2))
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"


def test_the_store_has_neither_ticket_nor_credential(reader: Caller, tokens: dict[str, str], state_dir: Path) -> None:
    ticket = ticket_of(reader)["ticket"]
    files = b"".join(file.read_bytes() for file in state_dir.iterdir() if file.is_file())
    assert b"stream_tickets" in files
    assert ticket.encode() not in files and tokens["reader"].encode() not in files


def test_the_ticket_of_a_refused_request_is_in_no_answer_and_no_record(
    reader: Caller, anonymous: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    ticket = ticket_of(reader)
    wrong: Any = open_stream(anonymous, f"{ticket['url']}&no-such-parameter=1")
    shown = [wrong.text, str(wrong.headers), caplog.text, reader.get("/metrics").text]
    assert wrong.status_code == 401 and f'"path":"{CLASSES}"' in caplog.text
    assert not [each for each in shown if ticket["ticket"][-20:] in each]


@pytest.mark.usefixtures("undocumented")
def test_a_page_of_an_origin_that_is_set_may_use_tickets(settings: Settings, tokens: dict[str, str]) -> None:
    shared = create_app(replace(settings, cors_origins=(ORIGIN,)))
    page, caller = Caller(shared.test_client(), None), Caller(shared.test_client(), tokens["reader"])
    there = {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}
    made: Any = caller.post("stream-tickets", json={"url": CLASSES}, headers=there)
    answer: Any = page.get(made.json["url"], headers={**EVENTS, **there}, buffered=False)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    beginning(answer)
