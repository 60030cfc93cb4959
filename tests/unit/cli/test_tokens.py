"""``omni-gateway token``: make, list and revoke."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from omni_gateway.cli import main
from omni_gateway.cli.serve_command import _ensure_a_token
from omni_gateway.settings import Settings
from omni_gateway.settings.storage import store_of


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


def entries(state: Path) -> list[tuple[str, str, str, str]]:
    found, _ = store_of(Settings(state_dir=state)).audit.page({})
    return [(entry.auth, entry.path, entry.resource, entry.object_id) for entry in found]


def test_what_it_makes_and_revokes_is_audited(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    lines = tmp_path / "audit"
    lines.touch()
    monkeypatch.setenv("OMNI_GATEWAY_AUDIT_FILE", str(lines))
    secret = run("create", "ci").output.strip()
    id = run("list").output.split()[0]
    assert run("revoke", id).exit_code == 0
    assert entries(tmp_path / "state") == [
        ("command", "omni-gateway token revoke", "auth/tokens", id),
        ("command", "omni-gateway token create", "auth/tokens", id),
    ]
    assert [json.loads(line)["path"].rpartition(" ")[2] for line in lines.read_text().splitlines()] == [
        "create",
        "revoke",
    ]
    assert secret not in lines.read_text()


def test_what_was_not_revoked_is_not_audited(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert run("revoke", "never-was").exit_code == 1
    assert entries(tmp_path / "state") == []


def test_a_file_of_audit_lines_is_not_made_by_a_command(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("OMNI_GATEWAY_AUDIT_FILE", str(tmp_path / "audit"))
    assert run("create", "ci").exit_code == 0
    assert not (tmp_path / "audit").exists()


@pytest.mark.parametrize(("auth", "made"), [("token,oidc", 1), ("oidc", 0), ("off", 0)])
def test_a_first_admin_token_is_made_only_where_tokens_are_a_way_in(tmp_path: Path, auth: str, made: int) -> None:
    settings = Settings(state_dir=tmp_path, auth=tuple(auth.split(",")))
    created = [_ensure_a_token(settings), _ensure_a_token(settings)]
    assert len(store_of(settings).tokens.list()) == made
    assert [bool(secret) for secret in created] == [bool(made), False]


@pytest.mark.parametrize(("auth", "kept"), [("token", 1), ("omni-key", 0)])
def test_a_bootstrap_token_is_kept_only_where_tokens_are_a_way_in(tmp_path: Path, auth: str, kept: int) -> None:
    settings = Settings(state_dir=tmp_path, auth=(auth,), bootstrap_token="b" * 40)
    _ensure_a_token(settings)
    assert len(store_of(settings).tokens.list()) == kept


def test_who_makes_a_token_that_opens_nothing_is_told(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    assert "does not accept tokens" not in run("create", "ci").stderr
    monkeypatch.setenv("OMNI_GATEWAY_AUTH", "oidc")
    made = run("create", "ci")
    assert made.stdout.startswith("ogw_")
    assert "A gateway with this OMNI_GATEWAY_AUTH does not accept tokens" in made.stderr


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
