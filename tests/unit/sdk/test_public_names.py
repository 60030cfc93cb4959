"""The SDK's public names are those that its guide lists, page by page."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[3] / "docs" / "writing-plugins.md"
PAGES = ["", ".adapters", ".actions", ".clusters", ".extensions", ".omni"]


@pytest.mark.parametrize("page", PAGES)
def test_the_guide_lists_every_name_and_no_other(page: str) -> None:
    name = f"omni_gateway.sdk{page}"
    section = GUIDE.read_text().split(f"### `{name}`\n")[1].split("\n### ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, flags=re.M) == importlib.import_module(name).__all__


@pytest.mark.parametrize("page", [*PAGES, ".redaction"])
def test_every_name_is_there(page: str) -> None:
    module = importlib.import_module(f"omni_gateway.sdk{page}")
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_the_first_page_is_what_a_first_plugin_needs() -> None:
    assert len(importlib.import_module("omni_gateway.sdk").__all__) <= 22
