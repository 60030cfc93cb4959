"""One gateway at a time uses a SQLite state directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omni_gateway.server import state_lock
from omni_gateway.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def _released(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("omni_gateway.server.state_lock.WAIT_SECONDS", 0.0)
    yield
    state_lock.release_in_worker()


def test_a_second_gateway_on_a_state_directory_is_refused_in_words(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    state_lock.hold(settings)
    with pytest.raises(SettingsError) as refused:
        state_lock.hold(settings)
    assert "another gateway uses the state directory" in str(refused.value)
    assert "name another directory with OMNI_GATEWAY_STATE_DIR=PATH" in str(refused.value)


def test_a_state_directory_is_free_again_when_the_gateway_has_ended(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    state_lock.hold(settings)
    state_lock.release_in_worker()
    with state_lock.held_alone(settings):
        pass


@pytest.mark.parametrize("url", ["sqlite:///{}/shared.sqlite", "postgresql+psycopg://gateway@192.0.2.1/gateway"])
def test_gateways_may_share_a_store_that_a_url_names(tmp_path: Path, url: str) -> None:
    shared = Settings(state_dir=tmp_path, store_url=url.format(tmp_path))
    state_lock.hold(shared)
    state_lock.hold(shared)


def test_a_restore_excludes_gateways_that_share_a_file(tmp_path: Path) -> None:
    shared = Settings(store_url=f"sqlite:///{tmp_path / 'shared.sqlite'}")
    state_lock.hold(shared)
    with pytest.raises(SettingsError, match=r"a gateway uses .*; stop it first"), state_lock.held_alone(shared):
        pass


def test_where_no_file_can_be_made_the_store_tells_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nowhere = Settings(store_url=f"sqlite:///{tmp_path / 'file' / 'gateway.sqlite'}")
    state_lock.hold(nowhere)
    with pytest.raises(SettingsError, match="cannot be written"), state_lock.held_alone(nowhere):
        pass
