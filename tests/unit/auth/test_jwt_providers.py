"""Which providers count, from when on, and what they make of a token's claims."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from omni_gateway.auth import EVERYTHING, Role, Scope
from omni_gateway.auth.oidc import claims
from tests.issuer import Issuer

from .conftest import COLLECTION, Clock, Gate

Trusting = Callable[..., Gate]


def change(gate: Gate, **changed: Any) -> None:
    document = gate.store.documents.find(COLLECTION, "corporate")
    assert document is not None
    spec = {**document.spec, **changed}
    assert gate.store.documents.replace(COLLECTION, document.id, document.version, spec, {}, {})


def test_a_new_provider_counts_within_a_second(gate: Gate, issuer: Issuer) -> None:
    assert "issuer" in gate.refuse(issuer.token())
    gate.trust(issuer)
    assert gate.enter(issuer.token())


def test_a_disabled_provider_counts_no_more_a_second_later(trusting: Trusting, issuer: Issuer, clock: Clock) -> None:
    gate, token = trusting(), issuer.token()
    assert gate.enter(token)
    change(gate, enabled=False)
    clock.now += 1
    assert "enabled" in gate.refuse(token)
    change(gate, enabled=True)
    clock.now += 1
    assert gate.enter(token)


def test_a_removed_provider_counts_no_more_a_second_later(trusting: Trusting, issuer: Issuer, clock: Clock) -> None:
    gate, token = trusting(), issuer.token()
    assert gate.enter(token)
    assert gate.store.documents.delete(COLLECTION, "corporate", 1)
    clock.now += 1
    assert "enabled" in gate.refuse(token)


def test_a_changed_mapping_counts_for_tokens_that_were_seen_before(
    trusting: Trusting, issuer: Issuer, clock: Clock
) -> None:
    gate, token = trusting(role_mapping={"reader": "admin"}), issuer.token()
    assert gate.enter(token).role is Role.ADMIN
    change(gate, role_mapping={"reader": "reader"})
    clock.now += 1
    assert gate.enter(token).role is Role.READER


def test_a_provider_made_anew_under_the_same_id_is_another(trusting: Trusting, issuer: Issuer, clock: Clock) -> None:
    gate, token = trusting(), issuer.token()
    assert gate.enter(token)
    assert gate.store.documents.delete(COLLECTION, "corporate", 1)
    gate.trust(issuer, client_id="other")
    clock.now += 1
    assert "audience" in gate.refuse(token)


def test_a_token_that_was_seen_before_ends_at_its_expiry(trusting: Trusting, issuer: Issuer) -> None:
    gate = trusting()
    now = time.time()
    gate.method._clock = lambda: now
    token = issuer.token(exp=int(now) + 5)
    assert gate.enter(token)
    now += 60
    assert "expired" in gate.refuse(token)


def test_a_broken_document_in_the_store_harms_no_other_provider(trusting: Trusting, issuer: Issuer) -> None:
    gate = trusting()
    gate.trust(issuer, "broken", role_mapping={"x": "king"})
    gate.trust(issuer, "broken-too", role_mapping=None)
    assert gate.enter(issuer.token()).id == "oidc:corporate:alice"


def test_two_providers_of_one_issuer_are_told_apart_by_their_audience(trusting: Trusting, issuer: Issuer) -> None:
    gate = trusting()
    gate.trust(issuer, "second", client_id="other")
    assert gate.enter(issuer.token(aud="other")).id == "oidc:second:alice"
    assert gate.enter(issuer.token()).id == "oidc:corporate:alice"


def test_no_two_callers_share_an_id(gate: Gate, issuer: Issuer) -> None:
    gate.trust(issuer, "a:b")
    gate.trust(issuer, "a", client_id="other")
    assert gate.enter(issuer.token(sub="c")).id != gate.enter(issuer.token(sub="b:c", aud="other")).id


def test_a_document_from_before_there_were_patterns_restricts_nobody(trusting: Trusting, issuer: Issuer) -> None:
    assert trusting().enter(issuer.token()).scope == EVERYTHING


@pytest.mark.parametrize(
    ("claim", "mapping", "said", "role"),
    [
        ("role", {}, {"role": "operator"}, Role.OPERATOR),
        ("role", {}, {"role": ["reader", "admin", "x"]}, Role.ADMIN),
        ("role", {}, {"role": "king"}, None),
        ("role", {}, {"role": None}, None),
        ("role", {}, {"role": {"admin": True}}, None),
        ("role", {}, {"role": True}, None),
        ("role", {}, {"role": [["admin"]]}, None),
        ("groups", {"devs": "reader", "ops": "operator"}, {"groups": ["devs", "ops"]}, Role.OPERATOR),
        ("groups", {"devs": "reader"}, {"groups": ["admin"]}, None),
        ("realm_access.roles", {}, {"realm_access": {"roles": ["admin"]}}, Role.ADMIN),
        ("realm_access.roles", {}, {"realm_access": ["admin"]}, None),
        ("resource_access.my.app.roles", {}, {"resource_access": {"my.app": {"roles": ["admin"]}}}, Role.ADMIN),
        ("https://example.com/role", {}, {"https://example.com/role": "admin"}, Role.ADMIN),
        ("a.b", {}, {"a.b": "reader", "a": {"b": "admin"}}, Role.READER),
        ("role", {}, {"role": "Admin"}, None),
    ],
)
def test_a_role_is_the_highest_that_the_claim_gives(
    trusting: Trusting, issuer: Issuer, claim: str, mapping: dict[str, str], said: dict[str, Any], role: Role | None
) -> None:
    gate = trusting(role_claim=claim, role_mapping=mapping)
    assert gate.enter(issuer.token(**{"role": None, **said})).role is role


@pytest.mark.parametrize(
    ("provider", "said", "scope"),
    [
        ({"clusters": None, "clusters_claim": ""}, {}, EVERYTHING),
        ({"clusters": ["dev-*"], "clusters_claim": ""}, {"clusters": ["*"]}, Scope(("dev-*",))),
        ({"clusters": [], "clusters_claim": ""}, {}, Scope(())),
        (
            {"clusters": None, "clusters_claim": "omni.clusters"},
            {"omni": {"clusters": ["a", "b-*"]}},
            Scope(("a", "b-*")),
        ),
        ({"clusters": None, "clusters_claim": "clusters"}, {"clusters": "a"}, Scope(("a",))),
        ({"clusters": None, "clusters_claim": "clusters"}, {}, Scope(())),
        ({"clusters": None, "clusters_claim": "clusters"}, {"clusters": {"*": 1}}, Scope(())),
        ({"clusters": None, "clusters_claim": "clusters"}, {"clusters": ["", "x" * 201, 7, "a"]}, Scope(("a",))),
    ],
    ids=str,
)
def test_clusters_are_the_providers_or_those_of_the_claim_it_names(
    trusting: Trusting, issuer: Issuer, provider: dict[str, Any], said: dict[str, Any], scope: Scope
) -> None:
    assert trusting(**provider).enter(issuer.token(**said)).scope == scope


def test_a_caller_is_called_by_a_name_that_fits_into_a_log() -> None:
    assert claims.name_of({"preferred_username": "al\nice\x1b[31m", "sub": "s"}) == "alice[31m"
    assert claims.name_of({"preferred_username": "", "email": "a@example.com", "sub": "s"}) == "a@example.com"
    assert claims.name_of({"name": "x" * 1000, "sub": "s"}) == "x" * 200
    assert claims.name_of({"sub": "s"}) == "s"
