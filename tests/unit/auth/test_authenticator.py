"""Which method verifies a credential, and what becomes of one that no method accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from omni_gateway.auth import Authenticator, OmniKeyMethod, Principal, Rejected, Role, TokenMethod
from omni_gateway.auth.authenticator import LONGEST_CREDENTIAL
from omni_gateway.auth.oidc import OidcMethod
from omni_gateway.auth.principal import MethodName
from omni_gateway.authentication import ANONYMOUS, authenticator, issuer_checks
from omni_gateway.omni import OmniClient, OmniConfig
from omni_gateway.settings import Settings
from omni_gateway.store import Store


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


@pytest.mark.parametrize("auth", [("oidc",), ("token",)])
def test_the_checks_of_issuers_know_whether_their_tokens_count(tmp_path: Path, auth: tuple[str, ...]) -> None:
    checks = issuer_checks(Settings(state_dir=tmp_path, auth=auth))
    assert checks.tokens_count is ("oidc" in auth)
