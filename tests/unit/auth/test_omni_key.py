"""A service account's key is a credential: its account, read from Omni, is the caller."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest

from omni_gateway.auth import OmniKeyMethod, Rejected, Role
from omni_gateway.auth import omni_key as module
from omni_gateway.omni import OmniClient, OmniConfig, parse_key
from omni_gateway.omni.errors import OmniError
from omni_gateway.simulator.embedded import RunningSimulator
from omni_gateway.simulator.identity.keys import generate


@pytest.fixture
def omni(simulator: RunningSimulator) -> Iterator[OmniClient]:
    with OmniClient(OmniConfig(endpoint=simulator.endpoint, service_account_key=simulator.key)) as client:
        yield client


@pytest.fixture
def method(omni: OmniClient) -> OmniKeyMethod:
    return OmniKeyMethod(omni)


@pytest.fixture
def pass_by(stop_time: Callable[[ModuleType], Callable[[float], None]]) -> Callable[[float], None]:
    return stop_time(module)


@pytest.mark.parametrize(
    ("role", "own"),
    [("Reader", Role.READER), ("Operator", Role.OPERATOR), ("Admin", Role.ADMIN), ("None", None)],
)
def test_the_account_of_a_key_is_the_caller(
    method: OmniKeyMethod, simulator: RunningSimulator, role: str, own: Role | None
) -> None:
    key = simulator.make_key(role)
    identity = parse_key(key).identity
    caller = method.authenticate(key)
    assert caller.name.startswith(f"made-{role.lower()}-")
    assert "@" in caller.name  # Omni's own name of the account, not the key's
    assert (caller.role, caller.id, caller.method) == (own, f"omni-key:{identity.fingerprint}", "omni-key")
    assert (caller.scope.restricted, caller.expires) == (False, identity.expires)
    assert caller.expires is not None
    assert caller.expires > datetime.now(UTC) + timedelta(days=1)


def test_calls_are_made_with_the_callers_own_key(method: OmniKeyMethod, simulator: RunningSimulator) -> None:
    key = simulator.make_key("Reader")
    caller = method.authenticate(key)
    assert caller.omni is not None
    assert caller.omni.identity.fingerprint == parse_key(key).identity.fingerprint


def test_a_role_is_read_again_after_some_seconds_and_not_before(
    method: OmniKeyMethod, simulator: RunningSimulator, pass_by: Callable[[float], None]
) -> None:
    key = simulator.make_key("Reader")
    first = method.authenticate(key)
    pass_by(9)
    assert method.authenticate(key) is first
    pass_by(1)
    again = method.authenticate(key)
    assert again is not first
    assert (again, again.omni) == (first, first.omni)


def test_each_key_is_another_caller(method: OmniKeyMethod, simulator: RunningSimulator) -> None:
    callers = [method.authenticate(simulator.make_key("Reader")) for _ in range(2)]
    assert callers[0].id != callers[1].id
    assert callers[0].name != callers[1].name


def test_a_key_that_omni_does_not_know_is_refused(method: OmniKeyMethod) -> None:
    key = generate("stranger", "stranger@serviceaccount.omni.sidero.dev").encoded
    with pytest.raises(Rejected) as refused:
        method.authenticate(key)
    assert str(refused.value) == "Omni does not accept this key: it is unknown, expired or revoked."


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"name": "x" * 300}, "the credential is not a service account's key: name and pgp_key are missing"),
        ({"name": "x", "pgp_key": "no key" * 100}, "the credential holds no OpenPGP private key in pgp_key"),
    ],
)
def test_what_only_looks_like_a_key_is_refused_and_why(
    method: OmniKeyMethod, document: dict[str, str], text: str
) -> None:
    with pytest.raises(Rejected) as refused:
        method.authenticate(base64.b64encode(json.dumps(document).encode()).decode())
    assert str(refused.value) == text


def test_a_credential_may_be_any_text(method: OmniKeyMethod) -> None:
    with pytest.raises(Rejected):
        method.authenticate("eyJ\udcff")


def test_without_omni_nothing_is_decided() -> None:
    key = generate("ann", "ann@serviceaccount.omni.sidero.dev").encoded
    with OmniClient(OmniConfig("http://127.0.0.1:9", insecure=True, timeout=5)) as away, pytest.raises(OmniError):
        OmniKeyMethod(away).authenticate(key)


JWT = ".".join([base64.urlsafe_b64encode(json.dumps({"alg": "RS256"}).encode()).decode(), "a" * 300, "b" * 300])


@pytest.mark.parametrize(
    ("credential", "recognised"),
    [
        (generate("ann", "ann@serviceaccount.omni.sidero.dev").encoded, True),
        ("eyJ" + "a" * 197, True),
        ("eyJ" + "a" * 196, False),
        (JWT, False),
        ("ogw_" + secrets.token_urlsafe(300), False),
        ("xeyJ" + "a" * 300, False),
    ],
)
def test_a_key_is_known_by_its_form(method: OmniKeyMethod, credential: str, recognised: bool) -> None:
    assert method.recognises(credential) is recognised
