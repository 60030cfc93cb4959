"""Streams of machines: their logs, and their changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from omni_gateway.omni import OmniClient
from tests.e2e.cluster_steps import Machines, Made, Unique, Wait, problem
from tests.e2e.conftest import Versions
from tests.e2e.machine_steps import await_reboot, members

NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture
def machine(api: httpx.Client, free_machines: Machines) -> Iterator[str]:
    id = free_machines(1)[0]
    yield id
    api.patch(f"machines/{id}", json={"labels": {"watched": None, "again": None}})


def test_a_log_is_a_json_document_a_line_and_tail_bounds_it(reader: httpx.Client, machine: str) -> None:
    answer = reader.get(f"machines/{machine}/logs", params={"tail": 3})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert 0 < len(lines) <= 3
    assert all("msg" in line for line in lines)


def test_no_tail_is_an_empty_log(api: httpx.Client, machine: str) -> None:
    assert api.get(f"machines/{machine}/logs", params={"tail": 0}).text == ""


@pytest.mark.parametrize("query", ["tail=-1", "tail=many", "tail=100001", "follow=perhaps", "tali=3"])
def test_a_bad_query_of_a_log_is_refused(api: httpx.Client, machine: str, query: str) -> None:
    assert api.get(f"machines/{machine}/logs?{query}").status_code == 422


def test_a_followed_log_goes_on_with_what_happens(
    api: httpx.Client, machine: str, omni: OmniClient, wait_until: Wait
) -> None:
    with api.stream("GET", f"machines/{machine}/logs", params={"follow": "true", "tail": 1}) as log:
        lines = (line for line in log.iter_lines() if line.strip())
        first = json.loads(next(lines))
        reboot = api.post(f"machines/{machine}/actions/reboot")
        next_line = json.loads(next(lines))
    await_reboot(api, omni, machine, reboot, wait_until)
    assert first != next_line


def test_the_head_of_a_followed_log_comes_and_ends(api: httpx.Client, machine: str) -> None:
    for _ in range(10):
        answer = api.head(f"machines/{machine}/logs", params={"follow": "true", "tail": 1})
        assert (answer.status_code, answer.content) == (200, b"")


@contextmanager
def watching(api: httpx.Client, url: str, **params: str) -> Iterator[Iterator[dict[str, Any]]]:
    with api.stream("GET", url, params=params, headers=NDJSON) as stream:
        assert stream.status_code == 200, stream.read()
        events = (json.loads(line) for line in stream.iter_lines())
        yield (event for event in events if event["type"] != "HEARTBEAT")


def test_a_watch_begins_with_what_is_there_and_tells_changes_of_labels(api: httpx.Client, machine: str) -> None:
    with watching(api, "machines", search=machine) as events:
        assert next(events)["object"] == api.get(f"machines/{machine}").json()
        assert next(events)["type"] == "BOOKMARK"
        api.patch(f"machines/{machine}", json={"labels": {"watched": "yes"}})
        event = next(events)
    assert (event["type"], event["object"]["id"]) == ("MODIFIED", machine)
    assert event["object"]["labels"]["watched"] == "yes"


def test_a_watch_of_a_selection_tells_who_comes_and_goes(api: httpx.Client, machine: str) -> None:
    with watching(api, "machines", label_selector=f"watched={machine}") as events:
        assert next(events)["type"] == "BOOKMARK"
        api.patch(f"machines/{machine}", json={"labels": {"watched": machine}})
        came = next(events)
        api.patch(f"machines/{machine}", json={"labels": {"watched": None}})
        went = next(event for event in events if event["type"] != "MODIFIED")  # Omni has its own to write
    assert (came["type"], went["type"]) == ("ADDED", "DELETED")
    assert came["object"]["id"] == went["object"]["id"] == machine


def test_one_machine_is_watched_with_its_lock(
    api: httpx.Client, made: Made, unique: Unique, free_machines: Machines, versions: Versions, wait_until: Wait
) -> None:
    of = members(api, made, unique, free_machines, versions, wait_until)
    with watching(api, f"machines/{of.worker}") as events:
        assert next(events)["object"]["id"] == of.worker
        api.patch(f"machines/{of.worker}", json={"maintenance": True})
        locked = next(event for event in events if event["type"] == "MODIFIED" and event["object"]["locked"])
    assert locked["object"]["maintenance"] is True


def test_a_list_s_resume_point_goes_on_without_a_gap(api: httpx.Client, machine: str) -> None:
    listed = api.get("machines", params={"search": machine})
    api.patch(f"machines/{machine}", json={"labels": {"watched": "meanwhile"}})
    headers = {**NDJSON, "Last-Event-ID": listed.headers["X-Resume-Point"]}
    with api.stream("GET", "machines", params={"search": machine}, headers=headers) as stream:
        first = json.loads(next(stream.iter_lines()))
    assert (first["type"], first["object"]["labels"]["watched"]) == ("MODIFIED", "meanwhile")


def test_a_machine_that_does_not_exist_cannot_be_watched(api: httpx.Client) -> None:
    problem(api.get("machines/there-is-none", headers=NDJSON), 404, "not-found")
