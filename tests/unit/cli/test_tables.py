"""`serve` loads the plugins once, and runs the migrations of their tables before it listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoints
from pathlib import Path

import pytest
from sqlalchemy import text

from omni_gateway.app import create_app
from omni_gateway.cli.serve_command import _usable_plugins as load_at_the_start
from omni_gateway.omni import OmniConfig
from omni_gateway.plugins import discovery
from omni_gateway.plugins.discovery import BrokenPlugin, Found
from omni_gateway.sdk import Role, SpecSchema
from omni_gateway.sdk.actions import ComputedDocument, ServicePlugin
from omni_gateway.server.application import Server
from omni_gateway.settings import Settings
from omni_gateway.settings.storage import store_of
from omni_gateway.store import Tables
from tests.unit.store.test_plugin_tables import BROKEN, FIRST, SECOND
from tests.unit.store.test_plugin_tables import release as release

NOWHERE = OmniConfig("http://127.0.0.1:9", insecure=True)
COUNT = ComputedDocument(
    "", on_collection=True, role=Role.READER, summary="Count", answers=SpecSchema, run=lambda adapter, query: {}
)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("omni_gateway.store.migration.ATTEMPTS", 1)
    return Settings(state_dir=tmp_path / "state")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Tables], None]:
    """Installs a plugin with these tables."""

    def install(tables: Tables) -> None:
        plugin = ServicePlugin(name="racks", tables=tables, documents=[COUNT])
        found = [Found("racks", "acme_racks:plugin", "acme-racks", "1.2", "loaded", plugin)]
        monkeypatch.setattr("omni_gateway.plugins.discovery.discover", lambda **_: found)

    return install


def test_the_tables_are_there_when_it_listens(
    settings: Settings, installed: Callable[[Tables], None], release: Callable[..., Tables]
) -> None:
    installed(release(FIRST, SECOND))
    load_at_the_start(settings)
    with store_of(settings).database.connect() as connection:
        assert connection.execute(text("SELECT id FROM acme_racks")).all() == []


def test_a_step_that_fails_stops_the_start_with_the_name_of_the_plugin(
    settings: Settings, installed: Callable[[Tables], None], release: Callable[..., Tables]
) -> None:
    installed(release(FIRST, BROKEN))
    with pytest.raises(
        BrokenPlugin, match=r"plugin 'racks' .* of acme-racks 1.2: .*: the tables .* cannot be migrated"
    ):
        load_at_the_start(settings)


def test_a_plugin_whose_step_fails_is_left_out_where_broken_plugins_are_skipped(
    settings: Settings, installed: Callable[[Tables], None], release: Callable[..., Tables]
) -> None:
    installed(release(FIRST, BROKEN))
    settings = replace(settings, plugin_errors="skip", omni=NOWHERE)

    app = create_app(settings, plugins=load_at_the_start(settings))

    assert not [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/racks")]
    [broken] = app.test_client().get("/readyz").json["checks"]["plugins"]["broken"]
    assert "cannot be migrated to '0002'" in broken["reason"]


def test_plugins_are_looked_for_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[None] = []

    def no_entry_points() -> EntryPoints:
        looked.append(None)
        return EntryPoints()

    monkeypatch.setattr(discovery, "entry_points", no_entry_points)
    settings = replace(settings, omni=NOWHERE)
    Server("127.0.0.1:0", settings, load_at_the_start(settings), renew=lambda: (settings, []), ready=list).load()
    assert len(looked) == 1
