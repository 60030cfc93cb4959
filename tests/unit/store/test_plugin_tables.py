"""Tables of a plugin: migrations of their own, in the gateway's database."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from omni_gateway.store import PluginTables, Store, Tables, TablesError
from omni_gateway.store.migration import HEAD, present

PACKAGE = "acme_steps"
FIRST = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table("acme_racks", sa.Column("id", sa.String(50), primary_key=True), if_not_exists=True)
"""
SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("acme_racks", sa.Column("units", sa.Integer, nullable=False, server_default="42"))
"""
BROKEN = SECOND.replace("acme_racks", "no_such_table")


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Tables]]:
    """Installs a release of the plugin: its steps."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    yield lambda *steps: install(tmp_path / "site", *steps)
    sys.modules.pop(PACKAGE, None)


def install(site: Path, *steps: str) -> Tables:
    folder = site / PACKAGE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").touch()
    for number, step in enumerate(steps, 1):
        (folder / f"step_{number:04}.py").write_text(step)
    importlib.invalidate_caches()
    return Tables(PACKAGE, head=f"{len(steps):04}")


def ids(tables: PluginTables) -> list[str]:
    with tables.connect() as connection:
        return list(connection.execute(text("SELECT id FROM acme_racks")).scalars())


def test_tables_are_made_on_first_use_beside_the_gateways_own(new_store: Store, release: Callable[..., Tables]) -> None:
    tables = PluginTables(new_store.database, "racks", release(FIRST, SECOND))
    with tables.begin() as connection:
        connection.execute(text("INSERT INTO acme_racks (id) VALUES ('a')"))
    with tables.connect() as connection:
        assert connection.execute(text("SELECT id, units FROM acme_racks")).all() == [("a", 42)]
        assert connection.execute(text("SELECT version_num FROM alembic_version_racks")).scalar() == "0002"
    assert present(new_store.engine()) == HEAD


def test_a_newer_release_runs_the_steps_that_are_missing_and_keeps_the_rows(
    new_store: Store, release: Callable[..., Tables]
) -> None:
    old = PluginTables(new_store.database, "racks", release(FIRST))
    with old.begin() as connection:
        connection.execute(text("INSERT INTO acme_racks (id) VALUES ('a')"))
    new = PluginTables(new_store.database, "racks", release(FIRST, SECOND))
    with new.connect() as connection:
        assert connection.execute(text("SELECT id, units FROM acme_racks")).all() == [("a", 42)]


def test_an_older_release_uses_the_tables_of_a_newer_one(
    new_store: Store, release: Callable[..., Tables], caplog: pytest.LogCaptureFixture
) -> None:
    PluginTables(new_store.database, "racks", release(FIRST, SECOND)).migrate()
    older = PluginTables(new_store.database, "racks", Tables(PACKAGE, head="0001"))
    assert ids(older) == []
    assert "newer release (alembic_version_racks: step 0002; this one has 0001)" in caplog.text


def test_processes_that_start_at_once_make_the_tables_once(
    new_store: Store, tmp_path: Path, release: Callable[..., Tables]
) -> None:
    new_store.wait(60)
    declared = release(FIRST, SECOND)
    stores = [Store(f"sqlite:///{tmp_path / 'store.sqlite'}") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda store: ids(PluginTables(store.database, "racks", declared)), stores))
    for store in stores:
        store.close()
    assert found == [[]] * 4


def test_a_step_that_fails_names_the_plugin_and_leaves_the_store_usable(
    new_store: Store, release: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omni_gateway.store.migration.ATTEMPTS", 2)
    tables = PluginTables(new_store.database, "racks", release(FIRST, BROKEN))
    with pytest.raises(TablesError, match=r"the plugin 'racks' cannot be migrated to '0002'.*no_such_table"):
        tables.migrate()
    assert new_store.documents.count("any") == 0


def test_wrong_statements_of_a_plugin_do_not_stop_the_use_of_the_store(
    new_store: Store, release: Callable[..., Tables]
) -> None:
    tables = PluginTables(new_store.database, "racks", release(FIRST))
    for _ in range(20):
        with pytest.raises(TablesError, match="no such table: misspelt"), tables.connect() as connection:
            connection.execute(text("SELECT * FROM misspelt"))
    assert new_store.database.reads.failure is None
    assert new_store.documents.count("any") == 0


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        (Tables("no_such_package.steps", "0001"), "there is no package 'no_such_package.steps'"),
        (Tables("json.decoder", "0001"), "there is no package 'json.decoder'"),
        (Tables(PACKAGE, "0003"), "no module of 'acme_steps' has the revision '0003'"),
    ],
)
def test_steps_that_are_not_there_are_refused_before_any_use(
    new_store: Store, release: Callable[..., Tables], tables: Tables, words: str
) -> None:
    release(FIRST, SECOND)
    with pytest.raises(TablesError, match=words):
        PluginTables(new_store.database, "racks", tables)
