"""Omni's audit log by ``/audit-log``: bounds to the millisecond, and a followed log that goes on after any record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

import pytest

from .conftest import Caller
from .streams import lines

URL = "audit-log"
SSE = {"Accept": "text/event-stream"}
FOLLOW = {"follow": "true"}


def write(api: Caller) -> str:
    """Have Omni log a record; return the id of the object that it is about."""
    id = f"logged-{uuid4().hex[:8]}"
    assert api.post("machineclasses", json={"id": id, "match_labels": ["a = b"]}).status_code == 201
    api.delete(f"machineclasses/{id}")
    return id


def records(api: Caller, **query: str) -> list[dict[str, Any]]:
    answer = api.get(URL, query_string=query, buffered=True)
    assert answer.status_code == 200, answer.text
    return lines(answer.get_data(as_text=True))


def created(record: dict[str, Any], id: str) -> bool:
    return record["event_type"] == "create" and record.get("resource_id") == id


def pieces(answer: Any) -> Iterator[str]:
    """Yield the texts of a followed log that are no heartbeats; each has whole events."""
    assert answer.status_code == 200, answer.text
    return (text for piece in answer.response if (text := piece.decode()).strip() and not text.startswith(":"))


def events(answer: Any) -> Iterator[dict[str, str]]:
    """Yield the Server-Sent Events of a followed log."""
    for text in pieces(answer):
        for block in filter(None, text.split("\n\n")):
            event = dict(line.split(": ", 1) for line in block.splitlines())
            if "event" in event:
                yield event


def since_a_minute() -> str:
    return (datetime.now(UTC) - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")


def at(record: dict[str, Any], milliseconds: int = 0) -> str:
    """Return the moment of a record, or one that is later."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=record["event_ts"] + milliseconds)
    return moment.isoformat().replace("+00:00", "Z")


def test_bounds_are_moments_and_both_are_included(api: Caller) -> None:
    id = write(api)
    [record] = [each for each in records(api, resource_id=id) if created(each, id)]
    within = [
        any(created(each, id) for each in records(api, start=at(record, begin), end=at(record, end)))
        for begin, end in ((0, 0), (-5, 5), (1, 60_000), (-60_000, -1))
    ]
    assert within == [True, True, False, False]


def test_a_followed_log_begins_at_a_moment_and_numbers_its_records(api: Caller) -> None:
    id = write(api)
    answer = api.get(URL, query_string={**FOLLOW, "start": since_a_minute()})
    found = []
    for text in pieces(answer):
        found += lines(text)
        if any(created(each, id) for each in found):
            break
    answer.close()
    ids = [each["event_id"] for each in found]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_server_sent_events_begin_with_where_they_begin_and_have_omnis_ids(api: Caller) -> None:
    answer = api.get(URL, query_string=FOLLOW, headers=SSE)
    told = events(answer)
    first = next(told)
    write(api)
    second = next(told)
    answer.close()
    assert answer.mimetype == "text/event-stream"
    assert (first["event"], first["data"]) == ("BOOKMARK", f'{{"resume_point":"{first["id"]}"}}')
    assert (second["event"], int(second["id"])) == ("ADDED", int(first["id"]) + 1)
    assert json.loads(second["data"])["event_id"] == int(second["id"])


@pytest.mark.parametrize("way", ["Last-Event-ID", "resume_point"])
def test_a_log_goes_on_after_the_record_that_was_sent_last(api: Caller, way: str) -> None:
    write(api)
    answer = api.get(URL, query_string={**FOLLOW, "start": since_a_minute()}, headers=SSE)
    sent = list(islice(events(answer), 3))
    answer.close()
    head, query = ({way: sent[1]["id"]}, {}) if way == "Last-Event-ID" else ({}, {way: sent[1]["id"]})
    again = api.get(URL, query_string={**FOLLOW, **query, "start": since_a_minute()}, headers={**SSE, **head})
    _, next_one = islice(events(again), 2)
    again.close()
    assert next_one == sent[2]


@pytest.mark.parametrize("point", ["999999999999", "9" * 18, "9" * 5000, "no-number"])
@pytest.mark.parametrize("head", [SSE, {}], ids=["SSE", "NDJSON"])
def test_a_record_that_omni_does_not_know_is_gone(api: Caller, head: dict[str, str], point: str) -> None:
    answer = api.get(URL, query_string=FOLLOW, headers={**head, "Last-Event-ID": point})
    assert (answer.status_code, answer.json["code"]) == (410, "gone")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start": "2026-08-01T10:00:00"}, "start"),
        ({"end": "1st of May"}, "end"),
        ({"start": "2026-08-01T10:00:01Z", "end": "2026-08-01T12:00:00+02:00"}, "end"),
        ({"end": "9999-12-31"}, "end"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "start"),
        ({"follow": "true", "end": "2026-08-01"}, "end"),
        ({"resume_point": "7"}, "resume_point"),
    ],
)
def test_bounds_that_are_none_are_refused_by_field(api: Caller, query: dict[str, str], field: str) -> None:
    answer = api.get(URL, query_string=query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_a_browser_follows_the_log_by_a_ticket(api: Caller, app: Any) -> None:
    ticket = api.post("stream-tickets", json={"url": f"/api/v1/{URL}?follow=true"})
    assert ticket.status_code == 201, ticket.text
    anonymous: Any = Caller(app.test_client(), None)
    answer = anonymous.get(ticket.json["url"], headers=SSE)
    first = next(events(answer))
    answer.close()
    assert first["event"] == "BOOKMARK"
