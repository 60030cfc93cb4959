"""Service accounts and users: made, renewed, listed, removed, with Omni's codes."""

from __future__ import annotations

import pytest

from omni_gateway.simulator.errors import InvalidArgument, Unknown
from omni_gateway.simulator.identity import accounts, keys, users
from omni_gateway.simulator.state.store import Store


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture(scope="module")
def pairs() -> list[str]:
    return [keys.generate("robot", "robot@example.org").public for _ in range(2)]


def test_an_account_is_an_identity_a_user_and_a_key(store: Store, pairs: list[str]) -> None:
    fingerprint = accounts.create_service_account(store, "robot", "Operator", pairs[0])

    identity = store.get("default", accounts.IDENTITY, "robot@serviceaccount.omni.sidero.dev")
    assert store.get("default", accounts.USER, identity.spec["user_id"]).spec == {"role": "Operator"}
    assert store.get("default", accounts.PUBLIC_KEY, fingerprint).spec["confirmed"] is True
    status = store.get("ephemeral", accounts.STATUS, identity.id)
    assert status.spec["role"] == "Operator"
    assert [key["id"] for key in status.spec["public_keys"]] == [fingerprint]


def test_accounts_are_listed_with_all_their_keys(store: Store, pairs: list[str]) -> None:
    first = accounts.create_service_account(store, "robot", "Reader", pairs[0])
    second = accounts.renew_service_account(store, "robot", pairs[1])

    (listed,) = accounts.list_service_accounts(store)

    assert (listed.name, listed.role) == ("robot", "Reader")
    assert {key.fingerprint for key in listed.keys} == {first, second}
    assert all(key.expires and key.created for key in listed.keys)


def test_upper_case_is_invalid_and_hardly_anything_else(store: Store, pairs: list[str]) -> None:
    with pytest.raises(InvalidArgument):
        accounts.create_service_account(store, "Robot", "Reader", pairs[0])
    accounts.create_service_account(store, "a name / with @ everything", "Reader", pairs[0])


def test_an_infra_provider_has_a_domain_and_a_role_of_its_own(store: Store, pairs: list[str]) -> None:
    accounts.create_service_account(store, "infra-provider:metal", "InfraProvider", pairs[0])

    assert store.find("default", accounts.IDENTITY, "metal@infra-provider.serviceaccount.omni.sidero.dev")
    assert accounts.list_service_accounts(store) == []
    with pytest.raises(Unknown):
        accounts.create_service_account(store, "infra-provider:other", "Reader", pairs[1])


def test_the_callers_own_role_is_an_admins(store: Store, pairs: list[str]) -> None:
    accounts.create_service_account(store, "robot", "", pairs[0], use_user_role=True)

    assert accounts.list_service_accounts(store)[0].role == "Admin"


def test_an_account_that_is_removed_leaves_nothing(store: Store, pairs: list[str]) -> None:
    accounts.create_service_account(store, "robot", "Reader", pairs[0])

    accounts.destroy_service_account(store, "robot")

    assert accounts.list_service_accounts(store) == []
    for namespace, type_ in (
        ("default", accounts.IDENTITY),
        ("default", accounts.USER),
        ("default", accounts.PUBLIC_KEY),
        ("ephemeral", accounts.STATUS),
        ("ephemeral", accounts.IDENTITY_STATUS),
    ):
        assert store.view(namespace, type_) == ()


def test_a_key_value_shows_in_no_repr() -> None:
    pair = keys.generate("robot", "robot@example.org")

    assert pair.encoded not in repr(pair)


def test_users_are_made_changed_listed_and_removed(store: Store) -> None:
    users.create_user(store, "Ann@Example.org", "Reader")
    users.update_user(store, "ann@example.org", "Operator")

    (ann,) = users.list_users(store)
    assert (ann.email, ann.role) == ("ann@example.org", "Operator")

    users.destroy_user(store, "ann@example.org")
    assert users.list_users(store) == []
