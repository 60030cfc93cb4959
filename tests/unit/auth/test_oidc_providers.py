"""The enabled OIDC providers as the store has them: how often it is read, and what is left out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from omni_gateway.auth import Role
from omni_gateway.auth.oidc import providers as module
from omni_gateway.auth.oidc.providers import COLLECTION, Provider, Providers, Snapshot
from omni_gateway.store import Document, DocumentStore, Store, StoreUnavailable

from .conftest import Clock

ISSUER = "https://login.example.com"
SPEC = {"issuer_url": ISSUER, "client_id": "c", "enabled": True, "role_claim": "role", "role_mapping": {}}


class Documents(DocumentStore):
    """A real store of documents; it records the time that each read may take, and can be unavailable or slow."""

    def __init__(self, store: Store) -> None:
        super().__init__(lambda: store.database)
        self.reads: list[float | None] = []
        self.unavailable = False
        self.begun = threading.Event()
        self.open = threading.Event()
        self.open.set()

    def list(self, collection: str, seconds: float | None = None) -> list[Document]:
        self.reads.append(seconds)
        self.begun.set()
        self.open.wait(60)
        if self.unavailable:
            raise StoreUnavailable("Away.")
        return super().list(collection, seconds)


@pytest.fixture
def documents(new_store: Store) -> Documents:
    return Documents(new_store)


def add(documents: Documents, id: str, **changed: Any) -> None:
    assert documents.create(COLLECTION, id, {**SPEC, **changed}, {}, {})


def ids(found: Sequence[Provider]) -> list[str]:
    return [provider.id for provider in found]


def test_a_provider_has_the_rules_of_its_document(documents: Documents, clock: Clock) -> None:
    add(documents, "plain")
    add(documents, "full", role_mapping={"ops": "operator"}, clusters=["a", "b-*"], clusters_claim="clusters")
    add(documents, "none", clusters=[], clusters_claim=None)
    found = Providers(documents, clock).current()
    assert found.generation == 1
    assert sorted(found.by_issuer[ISSUER], key=lambda provider: provider.id) == [
        Provider("full", ISSUER, "c", "role", {"ops": Role.OPERATOR}, ("a", "b-*"), "clusters"),
        Provider("none", ISSUER, "c", "role", {}, (), ""),
        Provider("plain", ISSUER, "c", "role", {}, None, ""),
    ]


def test_providers_are_grouped_by_their_issuer(documents: Documents, clock: Clock) -> None:
    add(documents, "one")
    add(documents, "two", issuer_url="https://other.example.com")
    found = Providers(documents, clock).current().by_issuer
    assert {issuer: ids(group) for issuer, group in found.items()} == {
        ISSUER: ["one"],
        "https://other.example.com": ["two"],
    }


@pytest.mark.parametrize("enabled", [False, None, 1, "true"])
def test_a_provider_is_enabled_by_true_alone(documents: Documents, clock: Clock, enabled: object) -> None:
    add(documents, "off", enabled=enabled)
    add(documents, "on")
    assert ids(Providers(documents, clock).current().by_issuer[ISSUER]) == ["on"]


@pytest.mark.parametrize(
    "broken", [{"role_mapping": None}, {"role_mapping": {"x": "king"}}, {"clusters": 7}, {"issuer_url": ["x"]}]
)
def test_a_document_that_cannot_be_read_is_left_out_and_logged(
    documents: Documents, clock: Clock, broken: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    add(documents, "a-broken", **broken)
    add(documents, "one")
    assert ids(Providers(documents, clock).current().by_issuer[ISSUER]) == ["one"]
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "the OIDC provider 'a-broken' in the store is left out: it cannot be read")
    ]


def test_the_store_is_read_once_a_second_and_a_snapshot_changes_only_with_a_document(
    documents: Documents, clock: Clock
) -> None:
    add(documents, "one")
    providers = Providers(documents, clock)
    first = providers.current()
    clock.now += 0.9
    assert (providers.current(), len(documents.reads)) == (first, 1)
    clock.now += 0.1
    assert providers.current() is first
    assert len(documents.reads) == 2
    add(documents, "two")
    clock.now += 1
    second = providers.current()
    assert (second.generation, ids(second.by_issuer[ISSUER])) == (2, ["one", "two"])


def test_no_provider_is_a_snapshot_too(documents: Documents, clock: Clock) -> None:
    assert Providers(documents, clock).current() == Snapshot(0, {})


def test_a_read_may_take_a_second_while_there_is_a_snapshot_to_use(documents: Documents, clock: Clock) -> None:
    providers = Providers(documents, clock, grace=10)
    for seconds in (0, 9.9, 10):
        clock.now += seconds
        providers.current()
    assert documents.reads == [None, module.KNOWN_SECONDS, None]


def test_while_the_store_is_unavailable_it_is_asked_once_a_second_until_the_grace_period_ends(
    documents: Documents, clock: Clock
) -> None:
    add(documents, "one")
    providers = Providers(documents, clock, grace=2.5)
    known = providers.current()
    documents.unavailable = True
    reads = []
    for seconds in (1, 0.9, 0.1, 0.4):
        clock.now += seconds
        assert providers.current() is known
        reads.append(len(documents.reads))
    assert reads == [2, 2, 3, 3]
    clock.now += 0.1
    with pytest.raises(StoreUnavailable) as raised:
        providers.current()
    assert raised.value.reason == "Away."


@pytest.mark.parametrize("known", [True, False])
def test_while_another_request_reads_the_store_a_snapshot_is_used_and_without_one_the_wait_ends(
    documents: Documents, clock: Clock, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    monkeypatch.setattr(module, "KNOWN_SECONDS", 0.01)
    monkeypatch.setattr(module, "UNKNOWN_SECONDS", 0.01)
    providers = Providers(documents, clock, grace=60)
    snapshot = providers.current() if known else None
    documents.begun.clear()
    documents.open.clear()
    clock.now += 2
    reading = threading.Thread(target=providers.current)
    reading.start()
    assert documents.begun.wait(60)
    try:
        if known:
            assert providers.current() is snapshot
        else:
            with pytest.raises(StoreUnavailable) as raised:
                providers.current()
            assert raised.value.reason == "The store does not answer in time."
    finally:
        documents.open.set()
        reading.join(60)
    assert providers.current().generation == 0


def test_a_request_that_has_waited_for_anothers_read_does_not_read_again(documents: Documents, clock: Clock) -> None:
    add(documents, "one")
    providers = Providers(documents, clock)
    documents.open.clear()
    seen: list[Snapshot] = []
    threads = [threading.Thread(target=lambda: seen.append(providers.current())) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert documents.begun.wait(60)
    documents.open.set()
    for thread in threads:
        thread.join(60)
    assert len(documents.reads) == 1
    assert [snapshot.generation for snapshot in seen] == [1, 1, 1]
