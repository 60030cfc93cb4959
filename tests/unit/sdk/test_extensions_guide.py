"""The Python blocks of docs/plugins/settings-tasks-tables.md run as they stand, and do what the page says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask.testing import FlaskClient

from omni_gateway.app import create_app
from omni_gateway.omni import OmniConfig
from omni_gateway.plugins.discovery import Found
from omni_gateway.rest.gateway import EXTENSION
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.settings import Settings
from omni_gateway.simulator.embedded import RunningSimulator

GUIDE = Path(__file__).parents[3] / "docs" / "plugins" / "settings-tasks-tables.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.M | re.S)


@pytest.fixture(scope="module")
def api(simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    text = GUIDE.read_text()
    module = ModuleType("guide_of_extensions")
    names = vars(module)
    site = tmp_path_factory.mktemp("site")
    steps = site / "acme_racks" / "migrations"
    steps.mkdir(parents=True)
    (steps / "__init__.py").touch()
    for block in BLOCK.finditer(text):
        if "down_revision" in block[1]:
            (steps / "step_0001.py").write_text(block[1])
            continue
        lines_before = text.count("\n", 0, block.start(1))
        exec(compile("\n" * lines_before + block[1], str(GUIDE), "exec", dont_inherit=True), names)
    plugins = [value for value in names.values() if isinstance(value, ServicePlugin)]
    found = [Found(plugin.name, "guide_of_extensions:p", "guide", "1.0", "loaded", plugin) for plugin in plugins]
    omni = OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)
    environ = {"OMNI_GATEWAY_RACKS_URL": "http://inventory"}
    settings = Settings(omni=omni, state_dir=tmp_path_factory.mktemp("guide"), auth=("off",), environ=environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        patch.setattr("omni_gateway.app.discover", lambda **_: found)
        return create_app(settings).test_client()


def test_its_settings_come_from_variables(api: FlaskClient) -> None:
    assert api.get("/api/v1/racks").json["url"] == "http://inventory"


def test_its_task_writes_objects_that_are_read(api: FlaskClient, wait_until: Callable[..., Any]) -> None:
    tasks = api.application.extensions[EXTENSION].tasks
    tasks.start()
    wait_until(lambda: api.get("/api/v1/counts/links").status_code == 200)
    tasks.stop()
    assert api.get("/api/v1/counts/links").json["total"] > 0


def test_its_health_check_is_shown_under_the_plugins_name(api: FlaskClient) -> None:
    entry = api.get("/readyz").json["checks"]["checked-racks/inventory"]
    assert (entry["status"], entry["kind"]) == ("ok", "static")


def test_its_tables_are_migrated_and_hold_what_is_written(api: FlaskClient) -> None:
    assert api.post("/api/v1/units", json={"id": "r1", "free": 7}).status_code == 201
    assert api.post("/api/v1/units", json={"id": "r1"}).status_code == 409
    assert [(each["id"], each["free"]) for each in api.get("/api/v1/units?search=r").json] == [("r1", 7)]
