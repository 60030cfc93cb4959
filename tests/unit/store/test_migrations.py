"""The steps lead to the tables that the code speaks to, from nothing and from a database that had no steps yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from omni_gateway.store import Store
from omni_gateway.store.migration import HEAD, present
from omni_gateway.store.tables import IDEMPOTENCY, METADATA

TOKENS_BEFORE_THE_STEPS = """
CREATE TABLE tokens (id VARCHAR(32) PRIMARY KEY, name VARCHAR(200) NOT NULL, role VARCHAR(20) NOT NULL,
sha256 VARCHAR(64) NOT NULL UNIQUE, created DATETIME NOT NULL, expires DATETIME, revoked BOOLEAN NOT NULL)
"""


def at(folder: Path) -> str:
    return f"sqlite:///{folder / 'gateway.sqlite'}"


def test_the_steps_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    with Store(at(tmp_path)).engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_last_step_is_the_one_that_is_asked_for() -> None:
    config = Config()
    config.set_main_option("script_location", "omni_gateway.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_database_from_before_the_steps_keeps_its_tokens(tmp_path: Path) -> None:
    old = create_engine(at(tmp_path))
    METADATA.create_all(old, tables=[IDEMPOTENCY])
    with old.begin() as connection:
        connection.execute(text(TOKENS_BEFORE_THE_STEPS))
        connection.execute(
            text("INSERT INTO tokens VALUES ('1', 'kept', 'reader', 'x', '2026-01-01 00:00:00', NULL, false)")
        )
    store = Store(at(tmp_path))
    assert [token.name for token in store.tokens.list()] == ["kept"]
    assert present(store.engine()) == HEAD
    assert store.documents.list("any") == []


def test_a_second_start_finds_everything_done(tmp_path: Path) -> None:
    Store(at(tmp_path)).documents.create("c", "one", {"a": 1}, {}, {})
    again = Store(at(tmp_path)).documents.find("c", "one")
    assert again is not None
    assert (dict(again.spec), again.version) == ({"a": 1}, 1)


def test_a_document_is_written_over_the_version_that_was_read_only(tmp_path: Path) -> None:
    documents = Store(at(tmp_path)).documents
    assert documents.create("c", "one", {"a": 1}, {}, {})
    assert not documents.create("c", "one", {"a": 2}, {}, {})
    assert documents.replace("c", "one", 1, {"a": 3}, {}, {})
    assert not documents.replace("c", "one", 1, {"a": 4}, {}, {})
    assert not documents.delete("c", "one", 1)
    assert documents.delete("c", "one", 2)


def test_a_database_of_a_newer_release_is_used_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Store(at(tmp_path)).documents.create("c", "one", {"a": 1}, {}, {})
    with create_engine(at(tmp_path)).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    older = Store(at(tmp_path))  # a worker of the old release restarts while the new one is rolled out
    assert older.documents.find("c", "one") is not None
    assert present(older.engine()) == "9999"
    assert [record.levelname for record in caplog.records if "newer release" in record.message] == ["WARNING"]
