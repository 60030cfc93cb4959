"""``omni-gateway token``: make, list and revoke."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from omni_gateway.cli import main


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("OMNI_GATEWAY_STATE_DIR", str(tmp_path / "state"))

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(main, ["token", *words])

    return invoke


def test_a_token_is_printed_alone_and_listed_without_its_text(run) -> None:  # type: ignore[no-untyped-def]
    made = run("create", "ci", "--role", "operator", "--days", "30", "--cluster", "prod-*", "--cluster", "lab")
    secret = made.output.strip()
    assert made.exit_code == 0
    assert secret.startswith("ogw_")
    assert "\n" not in secret
    listed = run("list").output
    assert "operator" in listed
    assert "clusters prod-*,lab" in listed
    assert "last used never" in listed
    assert secret not in listed


def test_an_admin_cannot_be_held_to_some_clusters(run) -> None:  # type: ignore[no-untyped-def]
    refused = run("create", "x", "--role", "admin", "--cluster", "a")
    assert refused.exit_code == 1
    assert "reader or operator" in refused.output


def test_a_revoked_token_is_not_listed_any_more(run) -> None:  # type: ignore[no-untyped-def]
    run("create", "gone")
    id = run("list").output.split()[0]
    assert run("revoke", id).exit_code == 0
    assert id not in run("list").output
    assert run("revoke", "never-was").exit_code == 1
