"""Who is known while the store cannot be read."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omni_gateway.auth import Rejected, TokenMethod
from omni_gateway.auth import tokens as module
from omni_gateway.auth.last_uses import LastUses
from omni_gateway.auth.oidc import Providers
from omni_gateway.auth.oidc import providers as providers_module
from omni_gateway.store import Document, Store, StoreUnavailable, Token

TOKEN = Token("1", "ada", "reader", datetime(2026, 1, 1, tzinfo=UTC), None, False)


class Tokens:
    """A store of tokens that can be away, or slow; it counts how often it is asked."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0
        self.held = threading.Event()
        self.held.set()
        self.known = {digest("good"): TOKEN}
        self.used_at: dict[str, datetime] = {}

    def find_by_hash(self, sha256: str, seconds: float | None = None) -> Token | None:
        self.asked += 1
        if not self.held.wait(30 if seconds is None else seconds) or self.away:
            raise StoreUnavailable("The store cannot be reached.")
        return self.known.get(sha256)

    def used(self, id: str, at: datetime) -> None:
        self.held.wait(30)
        if self.away:
            raise StoreUnavailable("The store cannot be reached.")
        self.used_at[id] = at


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass for the way in alone."""
    passed = [0.0]
    real = time.monotonic
    monkeypatch.setattr(module.time, "monotonic", lambda: real() + passed[0])

    def pass_by(seconds: float) -> None:
        passed[0] += seconds

    return pass_by


def method(tokens: Any, grace: float) -> TokenMethod:
    return TokenMethod(tokens, grace)


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(StoreUnavailable):
        yield


def test_a_token_that_was_confirmed_counts_for_the_time_of_grace_and_no_longer(
    tokens: Tokens, clock: Callable[[float], None]
) -> None:
    door = method(tokens, 60)
    door.authenticate("good")
    tokens.away = True
    clock(58)
    assert door.authenticate("good").name == "ada"
    clock(3)
    with refused():
        door.authenticate("good")


def test_without_a_time_of_grace_nothing_counts(tokens: Tokens, clock: Callable[[float], None]) -> None:
    door = method(tokens, 0)
    door.authenticate("good")
    tokens.away = True
    clock(2)
    with refused():
        door.authenticate("good")


def test_unknown_tokens_are_neither_taken_nor_refused_while_nobody_can_look(
    tokens: Tokens, clock: Callable[[float], None]
) -> None:
    door = method(tokens, 60)
    with pytest.raises(Rejected):
        door.authenticate("bad")
    tokens.away = True
    clock(2)
    with refused():
        door.authenticate("bad")
    with refused():
        door.authenticate("good")


def test_a_token_expires_within_the_time_of_grace_too(tokens: Tokens, clock: Callable[[float], None]) -> None:
    soon = datetime.now(UTC) + timedelta(milliseconds=50)
    tokens.known[digest("good")] = Token("1", "ada", "reader", TOKEN.created, soon, False)
    door = method(tokens, 60)
    door.authenticate("good")
    tokens.away = True
    clock(2)
    deadline = time.monotonic() + 5
    with pytest.raises(Rejected):
        while time.monotonic() < deadline:
            door.authenticate("good")


def test_a_revocation_that_the_store_tells_counts_at_once(tokens: Tokens, clock: Callable[[float], None]) -> None:
    door = method(tokens, 60)
    door.authenticate("good")
    tokens.known.clear()
    clock(2)
    with pytest.raises(Rejected):
        door.authenticate("good")
    tokens.away = True
    clock(2)
    with refused():  # what was revoked once is not known any more
        door.authenticate("good")


def test_a_store_that_hangs_holds_a_known_caller_up_for_a_second_at_most(
    tokens: Tokens, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KNOWN_SECONDS", 0.05)
    door = method(tokens, 60)
    door.authenticate("good")
    tokens.held.clear()
    clock(2)
    began = time.perf_counter()
    assert door.authenticate("good").name == "ada"
    assert time.perf_counter() - began < 10
    asked = tokens.asked
    door.authenticate("good")
    assert tokens.asked == asked  # and is not asked again within a second


def test_a_use_is_noted_without_waiting_and_lost_when_the_store_is_away(
    tokens: Tokens, wait_until: Callable[..., Any]
) -> None:
    uses = LastUses(tokens)  # type: ignore[arg-type]
    tokens.held.clear()
    began = time.monotonic()
    uses.note("1")
    uses.note("2")
    assert time.monotonic() - began < 10
    tokens.held.set()
    wait_until(lambda: set(tokens.used_at) == {"1", "2"})


class Documents:
    """A collection that can be away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False
        self.held = threading.Event()
        self.held.set()

    def list(self, collection: str, seconds: float | None = None) -> list[Document]:
        if not self.held.wait(30 if seconds is None else seconds) or self.away:
            raise StoreUnavailable("The store cannot be reached.")
        return self._store.documents.list(collection)


SPEC = {
    "issuer_url": "https://login.example.com",
    "client_id": "c",
    "enabled": True,
    "role_claim": "role",
    "role_mapping": {},
}


@pytest.fixture
def documents(store: Store) -> Documents:
    assert store.documents.create(providers_module.COLLECTION, "one", SPEC, {}, {})
    return Documents(store)


def test_providers_count_for_the_time_of_grace_and_no_longer(documents: Documents) -> None:
    now = [1000.0]
    providers = Providers(documents, lambda: now[0], grace=60)  # type: ignore[arg-type]
    known = providers.current()
    assert list(known.by_issuer) == ["https://login.example.com"]
    documents.away = True
    now[0] += 58
    assert providers.current() is known
    now[0] += 3
    with refused():
        providers.current()
    documents.away = False
    assert providers.current() is known


def test_who_comes_while_another_waits_for_the_store_goes_on_with_what_is_known(
    documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers_module, "KNOWN_SECONDS", 0.1)
    now = [1000.0]
    providers = Providers(documents, lambda: now[0], grace=60)  # type: ignore[arg-type]
    known = providers.current()
    documents.held.clear()
    now[0] += 2
    seen: list[Any] = []
    threads = [threading.Thread(target=lambda: seen.append(providers.current())) for _ in range(8)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (seen, time.perf_counter() - began < 10) == ([known] * 8, True)
