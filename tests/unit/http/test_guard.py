"""Tokens and roles."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from omni_gateway.auth import Role
from omni_gateway.http.guard import require_role
from omni_gateway.store import Store
from omni_gateway.store.tokens import ensure_bootstrap


@pytest.fixture
def guarded(bare: Flask) -> Flask:
    for role in Role:
        bare.add_url_rule(f"/{role.value}", endpoint=role.value, view_func=require_role(role)(lambda: "in"))
    return bare


def call(app: Flask, path: str, token: str) -> int:
    return app.test_client().get(path, headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.mark.parametrize("held", list(Role))
@pytest.mark.parametrize("needed", list(Role))
def test_a_role_opens_what_needs_it_or_less(guarded: Flask, store: Store, held: Role, needed: Role) -> None:
    token = store.tokens.create("t", held.value, None)[1]
    assert call(guarded, f"/{needed.value}", token) == (200 if held >= needed else 403)


def test_too_low_a_role_is_told_which_one_is_needed(guarded: Flask, store: Store) -> None:
    token = store.tokens.create("t", "reader", None)[1]
    answer = guarded.test_client().get("/admin", headers={"Authorization": f"Bearer {token}"})
    assert "admin" in answer.get_json()["detail"]


def test_a_revoked_token_is_refused(guarded: Flask, store: Store) -> None:
    token, secret = store.tokens.create("t", "admin", None)
    store.tokens.revoke(token.id)
    assert call(guarded, "/reader", secret) == 401


def test_an_expired_token_is_refused(guarded: Flask, store: Store) -> None:
    assert call(guarded, "/reader", store.tokens.create("t", "admin", timedelta(seconds=-1))[1]) == 401


def test_the_text_of_a_token_is_kept_nowhere(store: Store) -> None:
    _, secret = store.tokens.create("t", "admin", None)
    url = store.engine().url.database
    assert url is not None
    store.engine().dispose()
    kept = b"".join(path.read_bytes() for path in (Path(url), Path(f"{url}-wal")) if path.exists())
    assert secret.encode() not in kept


def test_a_new_bootstrap_token_ends_the_old_one(guarded: Flask, store: Store) -> None:
    ensure_bootstrap("a" * 40, store.engine())
    ensure_bootstrap("b" * 40, store.engine())
    assert (call(guarded, "/admin", "a" * 40), call(guarded, "/admin", "b" * 40)) == (401, 200)
