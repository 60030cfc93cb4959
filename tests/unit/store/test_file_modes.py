"""Who may read the database's files."""

from __future__ import annotations

import pwd
import sqlite3
import stat
from pathlib import Path

import pytest

from omni_gateway.settings import Settings
from omni_gateway.settings.storage import store_of
from omni_gateway.store import Store


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_a_new_database_and_what_is_beside_it_are_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    store = store_of(Settings(state_dir=folder))
    store.tokens.create("t", "reader", None)
    assert modes(tmp_path) == {"state": 0o700}
    assert modes(folder) == {"gateway.sqlite": 0o600, "gateway.sqlite-wal": 0o600, "gateway.sqlite-shm": 0o600}


def test_what_an_older_release_left_open_to_others_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    before = sqlite3.connect(folder / "gateway.sqlite")
    before.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)")
    for path in folder.iterdir():
        path.chmod(0o644)
    store_of(Settings(state_dir=folder)).wait(30)
    assert modes(tmp_path) == {"state": 0o700}
    assert set(modes(folder).values()) == {0o600}
    before.close()


def test_a_directory_that_is_not_the_gateways_alone_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    store_of(Settings(state_dir=Path())).wait(30)
    Store(f"sqlite:///{tmp_path / 'other.sqlite'}").wait(30)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert set(modes(tmp_path).values()) == {0o600}


def test_a_user_that_is_a_number_without_a_home_has_its_directory_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(number: int) -> pwd.struct_passwd:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("HOME")
    store_of(Settings(state_dir=tmp_path / "state")).wait(30)
    assert modes(tmp_path) == {"state": 0o700}
