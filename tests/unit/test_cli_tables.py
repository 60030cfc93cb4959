"""`serve` runs the migrations of plugins' tables before it listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from omni_gateway.cli import _migrate_tables_of_plugins as migrate_at_the_start
from omni_gateway.discovery import BrokenPlugin, Found
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.settings import Settings
from omni_gateway.storage import store_of
from omni_gateway.store import Tables
from tests.unit.store.test_plugin_tables import BROKEN, FIRST, SECOND
from tests.unit.store.test_plugin_tables import release as release


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("omni_gateway.store.migration.ATTEMPTS", 1)
    return Settings(state_dir=tmp_path / "state")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Tables], None]:
    """Installs a plugin with these tables."""

    def install(tables: Tables) -> None:
        plugin = ServicePlugin(name="racks", tables=tables)
        found = [Found("racks", "acme_racks:plugin", "acme-racks", "1.2", "loaded", plugin)]
        monkeypatch.setattr("omni_gateway.discovery.discover", lambda **_: found)

    return install


def test_the_tables_are_there_when_it_listens(
    settings: Settings, installed: Callable[[Tables], None], release: Callable[..., Tables]
) -> None:
    installed(release(FIRST, SECOND))
    migrate_at_the_start(settings)
    with store_of(settings).database.connect() as connection:
        assert connection.execute(text("SELECT id FROM acme_racks")).all() == []


def test_a_step_that_fails_stops_the_start_with_the_name_of_the_plugin(
    settings: Settings, installed: Callable[[Tables], None], release: Callable[..., Tables]
) -> None:
    installed(release(FIRST, BROKEN))
    with pytest.raises(
        BrokenPlugin, match=r"plugin 'racks' .* of acme-racks 1.2: .*: the tables .* cannot be migrated"
    ):
        migrate_at_the_start(settings)


def test_a_step_that_fails_is_a_warning_where_broken_plugins_are_skipped(
    settings: Settings,
    installed: Callable[[Tables], None],
    release: Callable[..., Tables],
    capsys: pytest.CaptureFixture[str],
) -> None:
    installed(release(FIRST, BROKEN))
    migrate_at_the_start(replace(settings, plugin_errors="skip"))
    assert "Warning: plugin 'racks' (acme_racks:plugin) of acme-racks 1.2: the tables" in capsys.readouterr().err
