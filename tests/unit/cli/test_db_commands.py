"""``omni-gateway db``: migrations, backup and restore of a SQLite store, as an operator sees them."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from click.testing import CliRunner, Result

from omni_gateway.cli import main
from omni_gateway.plugins.discovery import Found
from omni_gateway.sdk.actions import ServicePlugin
from omni_gateway.server import state_lock
from omni_gateway.settings import Settings
from omni_gateway.settings.storage import store_of
from omni_gateway.store import Tables
from omni_gateway.store.migration import HEAD
from tests.unit.cli.test_tables import COUNT
from tests.unit.store.test_plugin_tables import BROKEN, FIRST, SECOND
from tests.unit.store.test_plugin_tables import release as release

Run = Callable[..., Result]
#: Of a call to the store: longer than a busy machine takes.
SECONDS = 60.0
OTHER_USER = 65534
POSTGRESQL = "postgresql+psycopg://gateway:s3cret@192.0.2.1/gateway"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(state_dir=tmp_path / "state", store_timeout=SECONDS)


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("omni_gateway.plugins.discovery.discover", lambda **_: [])
    monkeypatch.setenv("OMNI_GATEWAY_STATE_DIR", str(settings.state_dir))
    monkeypatch.setenv("OMNI_GATEWAY_STORE_TIMEOUT", str(SECONDS))

    def invoke(*words: str | Path) -> Result:
        return CliRunner().invoke(main, ["db", *map(str, words)])

    return invoke


@pytest.fixture
def gateway(settings: Settings) -> Iterator[None]:
    """A gateway that uses the state directory, as far as others see that."""
    state_lock.hold(settings)
    yield
    state_lock.release_in_worker()


def names(settings: Settings) -> list[str]:
    """Return the names of the tokens in the store."""
    store = store_of(settings)
    found = [token.name for token in store.tokens.list()]
    store.close()
    return found


def create_token(settings: Settings, name: str) -> None:
    store = store_of(settings)
    store.tokens.create(name, "reader", None)
    store.close()


def test_a_check_makes_no_database_and_ends_with_a_code_of_its_own(run: Run, settings: Settings) -> None:
    checked = run("check", "--output", "json")
    assert checked.exit_code == 3
    [tables] = json.loads(checked.output)
    assert (tables["state"], tables["current"], tables["newest"]) == ("behind", None, HEAD)
    assert not settings.state_dir.exists()


def test_a_dry_run_shows_the_statements_and_changes_nothing(run: Run, settings: Settings) -> None:
    run("upgrade")
    with closing(sqlite3.connect(settings.state_dir / "gateway.sqlite")) as database:
        database.executescript("DROP TABLE leases; UPDATE alembic_version SET version_num = '0005'")
    tried = run("upgrade", "--dry-run")
    assert tried.exit_code == 0
    assert f"gateway: from step 0005 to {HEAD}" in tried.output
    assert "CREATE TABLE IF NOT EXISTS leases" in tried.output
    assert run("check").exit_code == 3


def test_an_upgrade_leaves_nothing_to_do(run: Run) -> None:
    assert run("upgrade").exit_code == 0
    checked = run("check")
    assert (checked.exit_code, checked.output) == (0, f"gateway: current, at step {HEAD} of {HEAD}\n")


def test_the_tables_of_plugins_are_migrated_too_and_a_broken_step_names_its_plugin(
    run: Run, monkeypatch: pytest.MonkeyPatch, release: Callable[..., Tables]
) -> None:
    def install(*steps: str) -> None:
        plugin = ServicePlugin(name="racks", tables=release(*steps), documents=[COUNT])
        found = [Found("racks", "acme_racks:plugin", "acme-racks", "1.2", "loaded", plugin)]
        monkeypatch.setattr("omni_gateway.plugins.discovery.discover", lambda **_: found)

    install(FIRST, SECOND)
    upgraded, checked = run("upgrade"), run("check")
    assert "racks: from step none to 0002" in upgraded.output
    assert (checked.exit_code, checked.output.splitlines()[1]) == (0, "racks: current, at step 0002 of 0002")

    monkeypatch.setattr("omni_gateway.store.migration.ATTEMPTS", 1)
    install(FIRST, SECOND, BROKEN.replace('"0002"', '"0003"').replace('"0001"', '"0002"'))
    for words in (["upgrade", "--dry-run"], ["upgrade"]):
        failed = run(*words)
        assert failed.exit_code == 1
        assert "'racks' cannot be migrated to '0003'" in failed.output
    assert run("check").exit_code == 3


def test_a_database_of_a_newer_release_is_told_and_is_no_failure(run: Run, settings: Settings) -> None:
    run("upgrade")
    with closing(sqlite3.connect(settings.state_dir / "gateway.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    checked = run("check")
    assert (checked.exit_code, checked.output) == (0, f"gateway: newer, at step 9999 of {HEAD}\n")


def test_a_store_that_cannot_be_reached_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNI_GATEWAY_STORE_URL", "postgresql+psycopg://gateway@/gateway?host=/nowhere")
    checked = run("check")
    assert checked.exit_code == 1
    # The latter on a machine that is too slow to find out within the deadline.
    assert checked.output.startswith(
        ("Error: The store cannot be reached.", "Error: The store does not answer in time.")
    )


def test_a_backup_that_is_made_during_writes_is_the_store_of_one_moment(
    run: Run, settings: Settings, tmp_path: Path, wait_until: Callable[..., object]
) -> None:
    documents = store_of(settings).documents
    stop = Event()
    written: list[int] = []

    def write_on() -> None:
        number = 0
        while not stop.is_set():
            assert documents.create("first", str(number), {}, {}, {})
            assert documents.create("second", str(number), {}, {}, {})
            number += 1
            written.append(number)

    writer = Thread(target=write_on)
    writer.start()
    try:
        wait_until(lambda: len(written) > 20, seconds=SECONDS, what="some writes")
        before = len(written)
        made = run("backup", tmp_path / "copy")
        wait_until(lambda: len(written) > before + 20, seconds=SECONDS, what="writes after the backup")
    finally:
        stop.set()
        writer.join()

    assert made.exit_code == 0, made.output
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(tmp_path / "copy")) as copy:
        counts = dict(copy.execute("SELECT collection, count(*) FROM documents GROUP BY collection"))
    assert counts["first"] - counts["second"] in (0, 1)  # the second is never there without the first
    assert counts["first"] >= before


def test_a_backup_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    run("upgrade")
    (tmp_path / "copy").write_text("mine")
    made = run("backup", tmp_path / "copy")
    assert made.exit_code == 1
    assert "there is a file" in made.output
    assert (tmp_path / "copy").read_text() == "mine"


def test_a_restore_brings_back_the_store_and_keeps_the_one_it_replaces(
    run: Run, settings: Settings, tmp_path: Path
) -> None:
    create_token(settings, "old")
    run("backup", tmp_path / "copy")
    create_token(settings, "new")

    restored = run("restore", tmp_path / "copy")

    assert restored.exit_code == 0, restored.output
    assert names(settings) == ["old"]
    [aside] = [file for file in settings.state_dir.glob("*.before-restore-*") if file.name.endswith("Z")]
    with closing(sqlite3.connect(aside)) as replaced:
        assert sorted(replaced.execute("SELECT name FROM tokens")) == [("new",), ("old",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")
def test_what_root_restores_or_makes_belongs_to_the_user_of_the_state_directory(
    run: Run, settings: Settings, tmp_path: Path
) -> None:
    settings.state_dir.mkdir()
    os.chown(settings.state_dir, OTHER_USER, OTHER_USER)
    create_token(settings, "old")
    made = {file.name: file.stat().st_uid for file in settings.state_dir.iterdir()}
    run("backup", tmp_path / "copy")
    run("restore", tmp_path / "copy")
    there = {file.name: file.stat().st_uid for file in settings.state_dir.iterdir()}
    assert {"gateway.sqlite", "gateway.sqlite.lock"} <= set(there)
    assert {*made.values(), *there.values()} == {OTHER_USER}


@pytest.mark.usefixtures("gateway")
def test_a_restore_is_refused_while_a_gateway_runs(run: Run, settings: Settings, tmp_path: Path) -> None:
    create_token(settings, "old")
    assert run("backup", tmp_path / "copy").exit_code == 0
    restored = run("restore", tmp_path / "copy")
    assert restored.exit_code == 1
    assert "a gateway uses" in restored.output
    assert "stop it first" in restored.output


def test_what_is_no_backup_replaces_nothing(run: Run, settings: Settings, tmp_path: Path) -> None:
    create_token(settings, "kept")
    run("backup", tmp_path / "newer")
    with closing(sqlite3.connect(tmp_path / "newer")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    (tmp_path / "text").write_text("text" * 1000)
    refused = [run("restore", tmp_path / name).output for name in ("text", "newer", "missing")]
    assert "is no database of a gateway" in refused[0]
    assert "is of a newer release" in refused[1]
    assert "there is no file" in refused[2]
    assert names(settings) == ["kept"]


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_postgresql_is_left_to_its_own_tools(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("OMNI_GATEWAY_STORE_URL", POSTGRESQL)
    made = run(command, "copy")
    assert made.exit_code == 1
    assert "the store is PostgreSQL: use `pg_" in made.output
    assert "s3cret" not in made.output
