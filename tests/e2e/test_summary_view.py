"""``view=summary``: a shorter form of every object, in reads, lists and watches; the default stays the whole object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

DATA = 'machine:\n  sysctls:\n    net.core.somaxconn: "4096"\n'
LOCK = "omni.sidero.dev/locked"
ANNOTATIONS = {"mine": "m", "omni.sidero.dev/of-omni": "o", LOCK: ""}
SHOWN = {"mine": "m", LOCK: ""}
SUMMARY = {"view": "summary"}


@pytest.fixture
def patch(api: httpx.Client, made: Callable[[str], str], unique: Callable[[str], str]) -> str:
    """A config patch with annotations of all kinds; returns its id, which its label ``e2e-view`` has too."""
    id = unique("view")
    body = {"id": id, "data": DATA, "labels": {"e2e-view": id}, "annotations": ANNOTATIONS}
    assert api.post("configpatches", json=body).status_code == 201
    made(f"configpatches/{id}")
    return id


def summary_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return what a summary of a whole object is to be."""
    metadata = {name: value for name, value in document["metadata"].items() if name != "finalizers"}
    rest = {name: value for name, value in document.items() if name != "_links"}
    return {**rest, "annotations": SHOWN, "metadata": metadata}


def events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in answer.iter_lines() if line and '"HEARTBEAT"' not in line)


@pytest.mark.parametrize("collection", ["configpatches", "resources/configpatches"])
def test_a_summary_is_the_object_without_links_finalizers_and_omnis_own_annotations(
    api: httpx.Client, patch: str, collection: str
) -> None:
    whole = api.get(f"{collection}/{patch}").json()
    answer = api.get(f"{collection}/{patch}", params=SUMMARY)
    assert answer.json() == summary_of(whole)
    assert whole["annotations"] == ANNOTATIONS and {"_links", "metadata"} < whole.keys()


def test_the_default_is_the_whole_object_and_has_a_name(api: httpx.Client, patch: str) -> None:
    default, full = api.get(f"configpatches/{patch}"), api.get(f"configpatches/{patch}?view=full")
    assert (full.content, full.headers["ETag"]) == (default.content, default.headers["ETag"])


def test_a_summary_has_a_tag_of_its_own_that_a_write_may_name(api: httpx.Client, patch: str) -> None:
    url = f"configpatches/{patch}"
    whole, tag = api.get(url).headers["ETag"], api.get(url, params=SUMMARY).headers["ETag"]
    same = api.get(url, params=SUMMARY, headers={"If-None-Match": tag})
    other = api.get(url, params=SUMMARY, headers={"If-None-Match": whole})
    written = api.patch(url, json={"labels": {"a": "b"}}, headers={"If-Match": tag})
    assert (same.status_code, other.status_code, written.status_code) == (304, 200, 200)


def test_a_list_of_summaries_has_a_tag_of_its_own_and_the_same_resume_point(api: httpx.Client, patch: str) -> None:
    selected = {"label_selector": f"e2e-view={patch}"}
    whole, short = api.get("configpatches", params=selected), api.get("configpatches", params=selected | SUMMARY)
    assert short.json() == [summary_of(each) for each in whole.json()]
    assert short.headers["ETag"] != whole.headers["ETag"]
    assert short.headers["X-Resume-Point"] == whole.headers["X-Resume-Point"]


def test_fields_select_from_the_summary(api: httpx.Client, patch: str) -> None:
    answer = api.get(f"configpatches/{patch}?view=summary&fields=annotations,metadata.finalizers")
    refused = api.get(f"configpatches/{patch}?view=summary&fields=_links")
    assert answer.json().keys() == {"id", "annotations", "metadata"}
    assert (answer.json()["annotations"], answer.json()["metadata"].keys()) == (SHOWN, {"version"})
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["fields"])


def test_another_view_is_refused(api: httpx.Client, patch: str) -> None:
    answer = api.get(f"configpatches/{patch}?view=short")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["view"])


def test_a_watch_of_summaries_goes_on_from_a_list_of_whole_objects(api: httpx.Client, patch: str) -> None:
    selected = {"label_selector": f"e2e-view={patch}"}
    point = api.get("configpatches", params=selected).headers["X-Resume-Point"]
    api.patch(f"configpatches/{patch}", json={"labels": {"a": "b"}})
    headers = {"Accept": "application/x-ndjson", "Last-Event-ID": point}
    with api.stream("GET", "configpatches", params=selected | SUMMARY, headers=headers) as answer:
        event = next(events(answer))
    assert event["object"] == summary_of(api.get(f"configpatches/{patch}").json())


def test_a_sub_resource_has_a_summary_too(api: httpx.Client) -> None:
    machine = api.get("machines?page_size=1&view=summary").json()[0]
    answer = api.get(f"machines/{machine['id']}/status", params=SUMMARY)
    assert answer.status_code == 200, answer.text
    assert "_links" not in machine and "_links" not in answer.json()
