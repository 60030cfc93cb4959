"""Which file a store's URL names: the lock, the backup and the engine's pool depend on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_gateway.store.sqlite import file_of


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite", "sqlite+another"])
def test_a_sqlite_database_is_a_file(scheme: str) -> None:
    assert file_of(f"{scheme}:////srv/gateway.sqlite?timeout=1") == Path("/srv/gateway.sqlite")


def test_a_relative_file_is_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert file_of("sqlite:///gateway.sqlite") == tmp_path / "gateway.sqlite"


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql+psycopg://db/gateway", "sqlite:x", ""]
)
def test_a_database_in_memory_another_one_and_an_invalid_url_have_none(url: str) -> None:
    assert file_of(url) is None
