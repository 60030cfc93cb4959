"""``docs/omnictl.md`` has a row for each command of omnictl, with a request that the API serves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

PAGE = Path(__file__).parents[2] / "docs" / "omnictl.md"
#: The commands without further ones below them, as ``omnictl --help`` of v1.7.0 lists them.
COMMANDS = Path(__file__).parent / "data" / "omnictl_commands.txt"
NONE = "\N{EN DASH}"


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, str]]:
    return re.findall(r"^\| `([a-z -]+)` \| (.+?) \|", PAGE.read_text(), flags=re.M)


def test_each_command_of_omnictl_has_one_row(rows: list[tuple[str, str]]) -> None:
    assert [command for command, _ in rows] == COMMANDS.read_text().splitlines()


def test_each_request_of_the_page_is_one_of_the_api(rows: list[tuple[str, str]], app: Flask) -> None:
    paths = app.test_client().get("/openapi.json").get_json()["paths"]
    served = {f"`{method.upper()} {path[len('/api/v1') :]}`" for path in paths for method in paths[path]}
    assert {request for _, request in rows} - served == {NONE}
