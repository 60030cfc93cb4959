"""The Python blocks of docs/writing-plugins.md run as they stand, in order, and what they declare can be mounted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from omni_gateway.app import create_app
from omni_gateway.discovery import Found
from omni_gateway.omni import OmniConfig
from omni_gateway.sdk import ServicePlugin
from omni_gateway.settings import Settings

GUIDE = Path(__file__).parents[3] / "docs" / "writing-plugins.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.M | re.S)
NO_OMNI = OmniConfig(endpoint="http://127.0.0.1:9")  # nothing here calls it


@pytest.fixture(scope="module")
def names() -> Mapping[str, Any]:
    """Run the blocks; a traceback names the guide and the line in it."""
    text = GUIDE.read_text()
    namespace: dict[str, Any] = {"__name__": "guide"}
    for block in BLOCK.finditer(text):
        lines_before = text.count("\n", 0, block.start(1))
        exec(compile("\n" * lines_before + block[1], str(GUIDE), "exec"), namespace)
    return namespace


def test_every_block_with_code_is_run() -> None:
    text = GUIDE.read_text()
    assert len(BLOCK.findall(text)) == len(re.findall(r"```(python|py)\b", text)) >= 4


def test_its_plugins_can_be_mounted_and_have_the_routes_that_the_text_names(
    names: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plugins = [value for value in names.values() if isinstance(value, ServicePlugin)]
    found = [Found(plugin.name, "guide", "guide", "1.0", "loaded", plugin) for plugin in plugins]
    monkeypatch.setattr("omni_gateway.app.discover", lambda **_: found)
    app = create_app(Settings(omni=NO_OMNI, state_dir=tmp_path))
    routes = {f"{method} {rule.rule}" for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert {
        "POST /api/v1/grpc-tunnel-configs",
        "PATCH /api/v1/grpc-tunnel-configs/<id>",
        "GET /api/v1/pools",
        "GET /api/v1/pools/<id>/status",
        "POST /api/v1/pools/<id>/actions/pause",
        "GET /api/v1/pools/<id>/counts",
        "GET /api/v1/pools/report",
        "GET /api/v1/pools/badge.svg",
    } <= {route.replace("<segment:id>", "<id>") for route in routes}
