"""The steps lead to the tables that the code speaks to, from nothing and from a database that had no steps yet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, create_engine, func, insert, select, text
from sqlalchemy.pool import StaticPool

from omni_gateway.store import Store
from omni_gateway.store.migration import HEAD, OWN, Steps, migrate, missing, present, try_missing
from omni_gateway.store.tables import IDEMPOTENCY, METADATA

TOKENS_BEFORE_THE_STEPS = """
CREATE TABLE tokens (id VARCHAR(32) PRIMARY KEY, name VARCHAR(200) NOT NULL, role VARCHAR(20) NOT NULL,
sha256 VARCHAR(64) NOT NULL UNIQUE, created DATETIME NOT NULL, expires DATETIME, revoked BOOLEAN NOT NULL)
"""


#: What a database may not be made to do by a step, for workers of the release before read and write it too.
BREAKING = re.compile(r"\b(DROP|RENAME|ALTER COLUMN|TRUNCATE|DELETE FROM)\b|ADD COLUMN (?!.*DEFAULT).*NOT NULL", re.I)


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


def test_no_step_takes_away_or_renames_what_the_release_before_reads() -> None:
    statements = try_missing(create_engine("sqlite://"))
    assert len(statements) > len(METADATA.tables)
    assert [statement for statement in statements if BREAKING.search(statement)] == []


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE tokens",
        "ALTER TABLE tokens RENAME COLUMN name TO title",
        "ALTER TABLE tokens ADD COLUMN owner VARCHAR(20) NOT NULL",
        "ALTER TABLE tokens ALTER COLUMN name TYPE TEXT",
    ],
)
def test_the_rule_knows_a_step_that_would_break_the_release_before(statement: str) -> None:
    assert BREAKING.search(statement)


def write_a_row(connection: Connection, table: Table) -> None:
    """Insert a row as a release with this table does, that knows no column besides."""
    values = {"str": "x", "int": 1, "bool": True, "datetime": func.now(), "float": 1.0, "bytes": b"x", "object": {}}
    connection.execute(insert(table).values({each.name: values[each.type.python_type.__name__] for each in table.c}))


@pytest.mark.parametrize("newer", [step for step, _ in missing(None)][1:])
def test_the_release_before_writes_and_reads_the_tables_of_each_step(newer: str) -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    migrate(engine, Steps(f"{int(newer) - 1:04}", OWN.version_table, OWN.folder))
    before = MetaData()
    before.reflect(engine)
    migrate(engine, Steps(newer, OWN.version_table, OWN.folder))

    tables = [table for table in before.sorted_tables if table.name != OWN.version_table]
    with engine.begin() as connection:
        for table in tables:
            write_a_row(connection, table)
        counts = [len(connection.execute(select(table)).all()) for table in tables]

    assert present(engine) == newer
    assert counts == [1] * len(tables)
