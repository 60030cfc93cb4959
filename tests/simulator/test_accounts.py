"""Service accounts and users: made, renewed, listed, removed, with Omni's codes."""

from __future__ import annotations

from datetime import timedelta

import pysequoia
import pytest

from omni_gateway.simulator.errors import AlreadyExists, InvalidArgument, NotFound, Unknown
from omni_gateway.simulator.identity import accounts, keys, users
from omni_gateway.simulator.identity.caller import Identity
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


def test_a_name_and_a_key_are_taken_once(store: Store, pairs: list[str]) -> None:
    accounts.create_service_account(store, "robot", "Reader", pairs[0])
    with pytest.raises(AlreadyExists):
        accounts.create_service_account(store, "robot", "Reader", pairs[1])
    with pytest.raises(AlreadyExists):
        accounts.create_service_account(store, "other", "Reader", pairs[0])
    with pytest.raises(Unknown):
        accounts.renew_service_account(store, "robot", pairs[0])


@pytest.mark.parametrize("role", ["", "admin", "Emperor", "InfraProvider"])
def test_a_bad_role_is_unknown(store: Store, pairs: list[str], role: str) -> None:
    with pytest.raises(Unknown):
        accounts.create_service_account(store, "robot", role, pairs[0])


def test_upper_case_is_invalid_and_hardly_anything_else(store: Store, pairs: list[str]) -> None:
    with pytest.raises(InvalidArgument):
        accounts.create_service_account(store, "Robot", "Reader", pairs[0])
    accounts.create_service_account(store, "a name / with @ everything", "Reader", pairs[0])


def test_an_infra_provider_has_a_domain_and_a_role_of_its_own(store: Store, pairs: list[str]) -> None:
    accounts.create_service_account(store, "infra-provider:metal", "InfraProvider", pairs[0])

    assert store.find("default", accounts.IDENTITY, "metal@infra-provider.serviceaccount.omni.sidero.dev")
    assert [account.name for account in accounts.list_service_accounts(store)] == ["infra-provider:metal"]
    with pytest.raises(Unknown):
        accounts.create_service_account(store, "infra-provider:other", "Reader", pairs[1])


def test_the_callers_own_role_is_an_admins(store: Store, pairs: list[str]) -> None:
    accounts.create_service_account(store, "robot", "", pairs[0], use_user_role=True)

    assert accounts.list_service_accounts(store)[0].role == "Admin"


def bad_keys() -> dict[str, str]:
    def public(user: str, seconds: int | None) -> str:
        secret = pysequoia.Tsk.generate(user_id=user, validity_seconds=seconds, profile=pysequoia.Profile.RFC4880)
        return str(secret.extract_certificate())

    private = pysequoia.Tsk.generate(user_id="a <a@b.example>", validity_seconds=3600)
    year = int(timedelta(days=366).total_seconds())
    return {
        "garbage": "no key",
        "private": str(private),
        "no e-mail": public("nobody", 3600),
        "no expiry": public("a <a@b.example>", None),
        "too long": public("a <a@b.example>", year),
    }


@pytest.mark.parametrize("why", ["garbage", "private", "no e-mail", "no expiry", "too long"])
def test_a_bad_key_is_unknown(store: Store, why: str) -> None:
    key = bad_keys()[why]
    with pytest.raises(Unknown):
        accounts.create_service_account(store, "robot", "Reader", key)
    assert accounts.list_service_accounts(store) == []


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


def test_what_cannot_be_removed_or_renewed(store: Store, pairs: list[str]) -> None:
    accounts.create_service_account(store, "robot", "Reader", pairs[0])
    own = Identity(accounts.full_id("robot"), "id", "Admin")
    with pytest.raises(InvalidArgument):
        accounts.destroy_service_account(store, "robot", own)
    with pytest.raises(NotFound):
        accounts.destroy_service_account(store, accounts.full_id("robot"))
    with pytest.raises(Unknown):
        accounts.renew_service_account(store, "nobody", pairs[1])


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


def test_what_users_cannot_be(store: Store, pairs: list[str]) -> None:
    users.create_user(store, "ann@example.org", "Reader")
    accounts.create_service_account(store, "robot", "Reader", pairs[0])
    ann = Identity("ann@example.org", "id", "Admin")

    with pytest.raises(Unknown):
        users.create_user(store, "ann@example.org", "Reader")
    with pytest.raises(Unknown):
        users.create_user(store, "bob@example.org", "Emperor")
    with pytest.raises(InvalidArgument):
        users.create_user(store, "no address", "Reader")
    with pytest.raises(InvalidArgument):
        users.update_user(store, ann.name, "Admin", ann)
    with pytest.raises(InvalidArgument):
        users.destroy_user(store, ann.name, ann)
    with pytest.raises(NotFound):
        users.update_user(store, "x@y.z", "Admin")
    with pytest.raises(NotFound):
        users.destroy_user(store, "x@y.z")
    with pytest.raises(InvalidArgument):
        users.destroy_user(store, accounts.full_id("robot"))


def test_a_service_accounts_role_is_changed_by_its_full_id(store: Store, pairs: list[str]) -> None:
    accounts.create_service_account(store, "robot", "Operator", pairs[0])

    users.update_user(store, accounts.full_id("robot"), "Reader")

    assert accounts.list_service_accounts(store)[0].role == "Reader"
    assert store.get("ephemeral", accounts.STATUS, accounts.full_id("robot")).spec["role"] == "Reader"
