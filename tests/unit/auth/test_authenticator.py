"""Which method verifies a credential, and what becomes of one that no method accepts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from omni_gateway.auth import (
    Authenticator,
    OmniKeyMethod,
    Principal,
    Rejected,
    Role,
    TokenMethod,
    Unverifiable,
    tokens,
)
from omni_gateway.auth.authenticator import LONGEST_CREDENTIAL
from omni_gateway.auth.oidc import OidcMethod, providers
from omni_gateway.auth.principal import MethodName
from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.omni.errors import OmniError
from omni_gateway.settings import Settings
from omni_gateway.settings.authentication import ANONYMOUS, authenticator, issuer_checks
from omni_gateway.simulator.identity.keys import generate
from omni_gateway.store import DocumentStore, Store, StoreUnavailable, TokenStore
from tests.issuer import AUDIENCE, Issuer, running_issuer

from .certificates import served_as


class Starting:
    """A method for credentials that start with a text; it accepts those that end with ``!``."""

    name: MethodName = "token"

    def __init__(self, start: str, caller: str) -> None:
        self.start = start
        self.caller = caller
        self.asked: list[str] = []

    def recognises(self, credential: str) -> bool:
        return credential.startswith(self.start)

    def authenticate(self, credential: str) -> Principal:
        self.asked.append(credential)
        if not credential.endswith("!"):
            raise Rejected(f"{self.caller} says no.")
        return Principal(self.caller, Role.READER, self.caller)


@pytest.fixture
def methods() -> list[Starting]:
    return [Starting("a", "first"), Starting("ab", "second"), Starting("b", "third")]


def test_the_first_method_that_recognises_a_credential_decides(methods: list[Starting]) -> None:
    door = Authenticator(methods)
    assert [door.authenticate(credential).name for credential in ("ab!", "b!")] == ["first", "third"]
    with pytest.raises(Rejected, match="first says no"):
        door.authenticate("abc")
    assert [method.asked for method in methods] == [["ab!", "abc"], [], ["b!"]]


@pytest.mark.parametrize("credential", ["c!", "a" * LONGEST_CREDENTIAL + "!"])
def test_what_no_method_recognises_and_what_is_too_long_is_refused(methods: list[Starting], credential: str) -> None:
    with pytest.raises(Rejected) as refused:
        Authenticator(methods).authenticate(credential)
    assert str(refused.value) == "The credential is of a kind that this gateway does not accept."
    assert [method.asked for method in methods] == [[], [], []]


def test_a_credential_of_the_greatest_length_is_looked_at(methods: list[Starting]) -> None:
    assert Authenticator(methods).authenticate("a" * (LONGEST_CREDENTIAL - 1) + "!").name == "first"


def door(tmp_path: Path, store: Store, *auth: str, **changes: object) -> Authenticator:
    settings = Settings(state_dir=tmp_path, auth=auth, **changes)  # type: ignore[arg-type]
    with OmniClient(OmniConfig("http://127.0.0.1:9", insecure=True)) as omni:
        return authenticator(settings, store, omni)


@pytest.mark.parametrize(
    ("auth", "kinds"),
    [
        (("token", "oidc", "omni-key"), [OmniKeyMethod, OidcMethod, TokenMethod]),
        (("token",), [TokenMethod]),
        (("oidc",), [OidcMethod]),
        (("omni-key",), [OmniKeyMethod]),
        (("off",), []),
    ],
)
def test_the_settings_say_which_methods_there_are_and_tokens_come_last(
    tmp_path: Path, store: Store, auth: tuple[str, ...], kinds: list[type]
) -> None:
    made = door(tmp_path, store, *auth)
    assert [type(method) for method in made.methods] == kinds
    assert made.anonymous is (ANONYMOUS if auth == ("off",) else None)


def test_who_is_anonymous_may_all() -> None:
    assert (ANONYMOUS.name, ANONYMOUS.id, ANONYMOUS.method) == ("anonymous", "anonymous", "off")
    assert ANONYMOUS.may(Role.ADMIN)


def test_each_method_works_on_the_gateways_own_store(tmp_path: Path, store: Store) -> None:
    token, secret = store.tokens.create("ann", "reader", None)
    caller = door(tmp_path, store, "token", store_grace=60.0).authenticate(secret)
    assert (caller.name, caller.id) == ("ann", f"token:{token.id}")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


def trust(store: Store, issuer: Issuer) -> None:
    spec = {
        "issuer_url": issuer.url,
        "client_id": AUDIENCE,
        "enabled": True,
        "role_claim": "role",
        "role_mapping": {},
    }
    assert store.documents.create(providers.COLLECTION, "corporate", spec, {}, {})


def test_tokens_of_a_provider_in_the_store_are_accepted_by_the_keys_of_its_issuer(
    tmp_path: Path, new_store: Store, issuer: Issuer
) -> None:
    trust(new_store, issuer)
    caller = door(tmp_path, new_store, "oidc", oidc_private_addresses=True).authenticate(issuer.token())
    assert caller.id == "oidc:corporate:alice"


def test_an_issuer_at_a_private_address_is_not_asked_unless_a_setting_allows_it(
    tmp_path: Path, new_store: Store, issuer: Issuer
) -> None:
    trust(new_store, issuer)
    with pytest.raises(Unverifiable):
        door(tmp_path, new_store, "oidc").authenticate(issuer.token())
    assert issuer.asked == []


@pytest.mark.parametrize("grace", [0.0, 60.0])
def test_providers_are_used_for_the_grace_period_of_the_settings_while_the_store_is_unavailable(
    tmp_path: Path, new_store: Store, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, grace: float
) -> None:
    monkeypatch.setattr(providers, "LIFE_SECONDS", 0.0)
    trust(new_store, issuer)
    made = door(tmp_path, new_store, "oidc", oidc_private_addresses=True, store_grace=grace)
    made.authenticate(issuer.token())
    monkeypatch.setattr(DocumentStore, "list", unavailable)
    with nullcontext() if grace else pytest.raises(StoreUnavailable):
        assert made.authenticate(issuer.token()).name == "alice"


@pytest.mark.parametrize("grace", [0.0, 60.0])
def test_tokens_are_used_for_the_grace_period_of_the_settings_while_the_store_is_unavailable(
    tmp_path: Path, new_store: Store, monkeypatch: pytest.MonkeyPatch, grace: float
) -> None:
    monkeypatch.setattr(tokens, "CACHE_SECONDS", 0.0)
    _, secret = new_store.tokens.create("ann", "reader", None)
    made = door(tmp_path, new_store, "token", store_grace=grace)
    made.authenticate(secret)
    monkeypatch.setattr(TokenStore, "find_by_hash", unavailable)
    with nullcontext() if grace else pytest.raises(StoreUnavailable):
        assert made.authenticate(secret).name == "ann"


def unavailable(*_: object) -> None:
    raise StoreUnavailable("Away.")


def test_a_key_is_verified_by_the_omni_of_the_gateway(tmp_path: Path, store: Store) -> None:
    key = generate("ann", "ann@serviceaccount.omni.sidero.dev").encoded
    settings = Settings(state_dir=tmp_path, auth=("omni-key",))
    with OmniClient(OmniConfig("http://127.0.0.1:9", insecure=True, timeout=5)) as away, pytest.raises(OmniError):
        authenticator(settings, store, away).authenticate(key)


@pytest.mark.parametrize("private", [True, False])
def test_the_checks_of_issuers_go_where_the_settings_allow(tmp_path: Path, issuer: Issuer, private: bool) -> None:
    checks = issuer_checks(Settings(state_dir=tmp_path, auth=("token",), oidc_private_addresses=private))
    assert checks.check(issuer.url).ok is private


def test_the_checks_of_issuers_trust_the_authorities_of_the_settings(tmp_path: Path) -> None:
    ca_file, context = served_as("localhost", tmp_path)
    with running_issuer(name="localhost", tls=context) as issuer:
        trusted, untrusted = (
            issuer_checks(Settings(state_dir=tmp_path, oidc_private_addresses=True, oidc_ca_file=file))
            for file in (str(ca_file), "")
        )
        assert (trusted.check(issuer.url).ok, untrusted.check(issuer.url).ok) == (True, False)


@pytest.mark.parametrize("auth", [("oidc",), ("token",)])
def test_the_checks_of_issuers_know_whether_their_tokens_count(tmp_path: Path, auth: tuple[str, ...]) -> None:
    checks = issuer_checks(Settings(state_dir=tmp_path, auth=auth))
    assert checks.tokens_count is ("oidc" in auth)
