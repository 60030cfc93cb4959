"""The SDK's public names are those that its guide lists."""

from __future__ import annotations

import re
from pathlib import Path

import omni_gateway.sdk

GUIDE = Path(__file__).parents[3] / "docs" / "writing-plugins.md"


def test_the_guide_lists_every_name_and_no_other() -> None:
    table = GUIDE.read_text().split("## Every name of the SDK")[1]
    assert re.findall(r"^\| `(\w+)` \|", table, flags=re.M) == omni_gateway.sdk.__all__


def test_every_name_is_there() -> None:
    assert [name for name in omni_gateway.sdk.__all__ if not hasattr(omni_gateway.sdk, name)] == []
