"""A way in for JWTs over a real store and a real issuer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from omni_gateway.auth import Principal, Rejected
from omni_gateway.auth.oidc import Fetcher, OidcMethod, Providers, load_keys
from omni_gateway.auth.oidc.rotation import Timing
from omni_gateway.store import Store
from tests.issuer import AUDIENCE, Issuer, running_issuer

COLLECTION = "oidc/providers"


@pytest.fixture
def store(new_store: Store) -> Store:
    return new_store


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


class Clock:
    """A clock that stands until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Gate:
    """The way in, as a test sees it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        fetcher = Fetcher(private_addresses=True)
        self.method = OidcMethod(
            Providers(store.documents, clock), lambda issuer: load_keys(fetcher, issuer), timing=Timing(between=0)
        )

    def trust(self, issuer: Issuer, id: str = "corporate", **changed: Any) -> None:
        """Make a provider; it counts at once."""
        spec = {
            "name": id,
            "issuer_url": issuer.url,
            "client_id": AUDIENCE,
            "enabled": True,
            "role_claim": "role",
            "role_mapping": {},
            **changed,
        }
        assert self.store.documents.create(COLLECTION, id, spec, {}, {})
        self.clock.now += 1

    def enter(self, token: str) -> Principal:
        assert self.method.recognises(token)
        return self.method.authenticate(token)

    def refuse(self, token: str) -> str:
        """Return why a token is refused; nothing of the token is in it."""
        with pytest.raises(Rejected) as refused:
            self.enter(token)
        assert not [part for part in token.split(".") if part and part in str(refused.value)]
        return str(refused.value)


@pytest.fixture
def gate(store: Store, clock: Clock) -> Gate:
    return Gate(store, clock)


@pytest.fixture
def trusting(gate: Gate, issuer: Issuer) -> Callable[..., Gate]:
    """The way in, with the issuer as a provider."""

    def make(**changed: Any) -> Gate:
        gate.trust(issuer, **changed)
        return gate

    return make
