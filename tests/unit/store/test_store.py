"""The store: its first use, several processes at once, the bootstrap token."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Thread

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from omni_gateway.store import Store
from tests.new_processes import new_processes

pytestmark = pytest.mark.slow

PROCESSES = 4
ROUNDS = 2


def at(folder: Path) -> str:
    return f"sqlite:///{folder / 'gateway.sqlite'}"


def valid(store: Store, secret: str) -> bool:
    token = store.tokens.find_by_hash(hashlib.sha256(secret.encode()).hexdigest())
    return token is not None and token.valid()


def test_a_state_directory_that_is_not_there_yet_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "state"
    Store(at(folder)).tokens.create("t", "reader", None)
    assert folder.stat().st_mode & 0o777 == 0o700


def made_by_an_older_release(folder: Path) -> None:
    """Make a database as it was after the second step."""
    folder.mkdir()
    config = Config()
    config.set_main_option("script_location", "omni_gateway.store:migrations")
    with create_engine(at(folder)).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")


def first_use(url: str) -> int:
    """Open a store with a bootstrap token; return how many tokens it has."""
    store = Store(url, "b" * 40)
    store.wait(50)
    return len(store.tokens.list())


@pytest.mark.parametrize("old", [False, True], ids=["new", "of an older release"])
def test_processes_that_start_at_once_on_one_database_all_start(tmp_path: Path, old: bool) -> None:
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        if old:
            made_by_an_older_release(folder)
        with new_processes(PROCESSES) as processes:
            assert list(processes.map(first_use, [at(folder)] * PROCESSES)) == [1] * PROCESSES


def test_the_bootstrap_token_is_there_from_the_first_use(tmp_path: Path) -> None:
    assert valid(Store(at(tmp_path), "a" * 40), "a" * 40)


def test_another_bootstrap_token_ends_the_first(tmp_path: Path) -> None:
    first, second = "a" * 40, "b" * 40
    Store(at(tmp_path), first).engine()
    after = Store(at(tmp_path), second)
    assert (valid(after, first), valid(after, second)) == (False, True)


def test_a_replica_with_older_settings_does_not_bring_a_rotated_bootstrap_token_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = "a" * 40, "b" * 40
    Store(at(tmp_path), first).engine()
    Store(at(tmp_path), second).engine()
    older = Store(at(tmp_path), first)  # a worker of the old replica restarts
    assert (valid(older, first), valid(older, second)) == (False, True)
    assert [record.levelname for record in caplog.records if "it stays so" in record.message] == ["WARNING"]


def test_rotated_bootstrap_tokens_are_not_listed(tmp_path: Path) -> None:
    for secret in ("a" * 40, "b" * 40, "c" * 40):
        Store(at(tmp_path), secret).engine()
    tokens = Store(at(tmp_path)).tokens.list()
    assert [(token.id, token.role) for token in tokens] == [("bootstrap", "admin")]


def test_a_bootstrap_token_that_was_revoked_stays_revoked(tmp_path: Path) -> None:
    store = Store(at(tmp_path), "a" * 40)
    store.tokens.revoke(store.tokens.list()[0].id)
    assert not valid(Store(at(tmp_path), "a" * 40), "a" * 40)


def test_a_token_that_merely_has_the_name_is_left_alone(tmp_path: Path) -> None:
    _, secret = Store(at(tmp_path)).tokens.create("bootstrap", "reader", None)
    assert valid(Store(at(tmp_path), "a" * 40), secret)


def test_of_replicas_that_start_at_once_one_makes_the_first_token(tmp_path: Path) -> None:
    stores = [Store(at(tmp_path)) for _ in range(6)]
    for store in stores:
        store.wait(30)
    made: list[str | None] = []

    def make(store: Store) -> None:
        made.append(store.tokens.create_first("first-run", "admin"))

    threads = [Thread(target=make, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([secret for secret in made if secret is not None]) == 1
    assert [token.role for token in stores[0].tokens.list()] == ["admin"]


def test_a_start_makes_no_new_admin_token_where_all_were_revoked(tmp_path: Path) -> None:
    tokens = Store(at(tmp_path)).tokens
    assert tokens.create_first("first-run", "admin") is not None
    assert tokens.revoke("first-run")
    assert tokens.create_first("first-run", "admin") is None
    assert tokens.list() == []
