"""``docs/omni-mapping.md`` has a row for each route, and names nothing that Omni does not have."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
ROW = re.compile(r"\| `([A-Z]+ /\S*)` \| (.+?) \| (\w+) \| (.+) \|")
METHODS = ("get", "post", "put", "patch", "delete")
#: Words of the table that begin with a capital letter and are no types.
VERBS = {"Get", "List", "Create", "Update", "Teardown", "Destroy", "DELETE", "META", "Omni", "Kubernetes", "Service"}


@pytest.fixture(scope="module")
def rows() -> dict[str, tuple[str, str, str]]:
    found = {}
    for line in (ROOT / "docs" / "omni-mapping.md").read_text().splitlines():
        if line.startswith("| `"):
            row = ROW.fullmatch(line)
            assert row, line
            found[row[1]] = (row[2], row[3], row[4])
    return found


@pytest.fixture(scope="module")
def routes(app: Flask) -> dict[str, str]:
    """Method and path → role, of every documented route."""
    paths = json.loads(app.test_client().get("/openapi.json").data)["paths"]
    return {
        f"{method.upper()} {path}": item[method]["x-required-role"]
        for path, item in paths.items()
        for method in METHODS
        if method in item
    }


def names(file: str, *columns: str) -> set[str]:
    with (DATA / file).open() as lines:
        return {"/".join(row[name] for name in columns) for row in csv.DictReader(lines, delimiter="\t")}


def test_every_route_has_a_row_and_every_row_a_route(
    rows: dict[str, tuple[str, str, str]], routes: dict[str, str]
) -> None:
    assert routes.keys() - rows.keys() == set()
    assert rows.keys() - routes.keys() == set()


def test_every_row_has_the_role_that_the_route_takes(
    rows: dict[str, tuple[str, str, str]], routes: dict[str, str]
) -> None:
    assert {route: row[1] for route, row in rows.items()} == routes


def test_every_call_that_is_named_is_one_of_omnis(rows: dict[str, tuple[str, str, str]]) -> None:
    known = {name.rpartition(".")[2] for name in names("wire_rpcs.tsv", "service", "method")}
    named = {call for omni, _, _ in rows.values() for call in re.findall(r"\w+Service/\w+", omni)}
    assert len(named) > 15
    assert named - known == set()


def test_every_type_that_is_named_is_one_of_omnis(rows: dict[str, tuple[str, str, str]]) -> None:
    known = {name.partition(".")[0] for name in names("wire_resource_types.tsv", "type")} | {"ResourceDefinitions"}
    texts = [re.sub(r"\w+Service/\w+", "", omni) for omni, _, _ in rows.values()]
    named = {word for text in texts for word in re.findall(r"\b[A-Z]\w+", text)} - VERBS
    assert len(named) > 50
    assert named - known == set()
