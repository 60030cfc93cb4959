"""Selectors and filters of lists: a list picks the machines that a class picks, from the cache and from Omni."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from omni_gateway.omni import OmniClient
from tests.document import parameters

from .conftest import Caller
from .routes import routes

MEM, CORES = "omni.sidero.dev/mem", "omni.sidero.dev/cores"


@pytest.fixture(scope="module")
def labels(omni: OmniClient) -> dict[str, str]:
    """The labels of one machine."""
    return dict(omni.resources.list("MachineStatuses.omni.sidero.dev").items[0]["metadata"]["labels"])


@pytest.mark.parametrize(
    "text",
    [
        "{mem}>1",
        "{mem} > 1Gi",
        "{mem}<={held_mem}",
        "{mem}<{held_mem}",
        "{cores}>={held_cores}, {cores}",
        "{cores}<1",
        '{mem}="{held_mem}"',
        '{mem} in ("{held_mem}", "a, b")',
        "!{mem}",
        "{mem} in ()",
        "{mem} notin ()",
    ],
)
def test_a_list_picks_the_machines_that_a_class_picks(api: Caller, labels: dict[str, str], text: str) -> None:
    selector = text.format(mem=MEM, cores=CORES, held_mem=labels[MEM], held_cores=labels[CORES])
    picked = api.post("machineclasses/actions/match", json={"match_labels": [selector]}).json["machines"]

    for head in ({}, {"Cache-Control": "no-cache"}):
        query = {"label_selector": selector, "page_size": 1000}
        listed = api.get("machines", query_string=query, headers=head)
        assert listed.status_code == 200, listed.text
        assert sorted(item["id"] for item in listed.json) == picked


def test_a_filter_beside_a_selector_stays_a_condition_of_its_own(api: Caller) -> None:
    query = {"label_selector": 'a="', "cluster": '"'}
    answer = api.get("configpatches", query_string=query)
    assert (answer.status_code, answer.json["code"]) == (422, "bad-selector")


def filters(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    common = {"page", "page_size", "label_selector", "search", "id_matches", "sort", "fields", "resume_point"}
    for method, path, operation in routes(document):
        # A parameter with a list of values refuses any other with a 422.
        asked = (item for item in parameters(document, operation).values() if item["in"] == "query")
        names = {item["name"] for item in asked if "enum" not in item["schema"]}
        if path == "/api/v1/audit":
            continue  # it records what these very tests ask for; test_audit has its filters
        if method == "get" and "page_size" in names and "{" not in path:
            yield from ((path, name) for name in sorted(names - common) if name not in ("connected", "kind"))


@pytest.mark.parametrize("value", ["there-is-none", "a/b", "50%", "naïve-日本", "x" * 1024], ids=lambda text: text[:12])
def test_a_filter_that_names_nothing_is_an_empty_list(app: Flask, api: Caller, value: str) -> None:
    other, asked = {}, 0
    for path, name in filters(app.test_client().get("/openapi.json").json):
        asked += 1
        answer = api.get(path, query_string={name: value})
        if (answer.status_code, answer.json) != (200, []):
            other[f"{path}?{name}"] = (answer.status_code, answer.text[:200])
    assert (other, asked > 15) == ({}, True)
