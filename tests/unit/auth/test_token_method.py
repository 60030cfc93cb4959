"""Which caller a bearer token of the gateway is, and how often the store is asked for one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType

import pytest

from omni_gateway.auth import Principal, Rejected, Role, Scope, TokenMethod
from omni_gateway.auth import tokens as module
from omni_gateway.store import Store, StoreUnavailable, Token, TokenStore


class Tokens(TokenStore):
    """A real store of tokens; it records the look-ups with the time each may take, and can be unavailable."""

    def __init__(self, store: Store) -> None:
        super().__init__(lambda: store.database)
        self.asked: list[tuple[str, float | None]] = []
        self.unavailable = False

    def find_by_hash(self, sha256: str, seconds: float | None = None) -> Token | None:
        self.asked.append((sha256, seconds))
        if self.unavailable:
            raise StoreUnavailable("Away.")
        return super().find_by_hash(sha256, seconds)


@pytest.fixture
def tokens(new_store: Store) -> Tokens:
    return Tokens(new_store)


@pytest.fixture
def pass_by(stop_time: Callable[[ModuleType], Callable[[float], None]]) -> Callable[[float], None]:
    return stop_time(module)


def test_a_token_is_its_own_caller_with_its_role_its_clusters_and_its_end(tokens: Tokens) -> None:
    token, secret = tokens.create("ann", "operator", timedelta(hours=1), ["team-*"])
    caller = TokenMethod(tokens).authenticate(secret)
    assert token.expires is not None
    assert caller == Principal(
        "ann", Role.OPERATOR, f"token:{token.id}", "token", Scope(("team-*",)), expires=token.expires
    )


@pytest.mark.parametrize("secret", ["unknown", "\udcff\u20ac"])
def test_any_text_may_be_a_token_and_one_that_is_unknown_is_refused(tokens: Tokens, secret: str) -> None:
    method = TokenMethod(tokens)
    assert method.recognises(secret)
    with pytest.raises(Rejected) as refused:
        method.authenticate(secret)
    assert str(refused.value) == "The token is unknown, revoked or expired."


def test_only_a_hash_is_looked_up(tokens: Tokens) -> None:
    _, secret = tokens.create("ann", "reader", None)
    TokenMethod(tokens).authenticate(secret)
    assert tokens.asked == [(hashlib.sha256(secret.encode()).hexdigest(), None)]


def test_a_known_token_is_looked_up_once_a_second(tokens: Tokens, pass_by: Callable[[float], None]) -> None:
    _, secret = tokens.create("ann", "reader", None)
    method = TokenMethod(tokens)
    counts = []
    for seconds in (0, 0.9, 0.1, 0.9):
        pass_by(seconds)
        method.authenticate(secret)
        counts.append(len(tokens.asked))
    assert counts == [1, 1, 2, 2]


def test_an_unknown_token_is_looked_up_once_a_second(tokens: Tokens, pass_by: Callable[[float], None]) -> None:
    method = TokenMethod(tokens)
    counts = []
    for seconds in (0, 0.9, 0.1):
        pass_by(seconds)
        with pytest.raises(Rejected):
            method.authenticate("unknown")
        counts.append(len(tokens.asked))
    assert counts == [1, 1, 2]


def test_a_revocation_is_in_effect_after_a_second(tokens: Tokens, pass_by: Callable[[float], None]) -> None:
    token, secret = tokens.create("ann", "reader", None)
    method = TokenMethod(tokens)
    method.authenticate(secret)
    assert tokens.revoke(token.id)
    pass_by(1)
    with pytest.raises(Rejected):
        method.authenticate(secret)


def test_a_look_up_is_short_only_for_a_token_that_would_be_accepted_without_it(
    tokens: Tokens, pass_by: Callable[[float], None]
) -> None:
    _, secret = tokens.create("ann", "reader", None)
    method = TokenMethod(tokens, grace=60.0)
    for seconds in (0, 59.9, 60):
        pass_by(seconds)
        method.authenticate(secret)
    assert [seconds for _, seconds in tokens.asked] == [None, module.KNOWN_SECONDS, None]


def test_while_the_store_is_unavailable_it_is_asked_once_a_second_until_the_grace_period_ends(
    tokens: Tokens, pass_by: Callable[[float], None]
) -> None:
    _, secret = tokens.create("ann", "reader", None)
    method = TokenMethod(tokens, grace=2.5)
    method.authenticate(secret)
    tokens.unavailable = True
    counts = []
    for seconds in (1, 0.9, 0.1, 0.4):
        pass_by(seconds)
        assert method.authenticate(secret).name == "ann"
        counts.append(len(tokens.asked))
    assert counts == [2, 2, 3, 3]
    pass_by(0.1)
    with pytest.raises(StoreUnavailable):
        method.authenticate(secret)
