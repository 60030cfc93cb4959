"""OpenID Connect Discovery 1.0 §4: from an issuer's URL to its keys, with a report of each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from omni_gateway.auth.oidc.fetcher import Fetcher, FetchError
from omni_gateway.auth.oidc.keys import KeySet, Unusable, key_set

WELL_KNOWN = "/.well-known/openid-configuration"
STEPS = (
    "discovery-address",
    "discovery-document",
    "issuer",
    "keys-address",
    "keys-document",
    "keys",
)
"""In order; each step needs the ones before it."""


@dataclass(frozen=True, slots=True)
class Step:
    """The outcome of one step."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """The steps up to the first one that failed."""

    steps: tuple[Step, ...]

    @property
    def ok(self) -> bool:
        """Return whether all steps succeeded, so that there are usable keys."""
        return len(self.steps) == len(STEPS) and all(step.ok for step in self.steps)


@dataclass(frozen=True, slots=True)
class IssuerChecks:
    """Checks issuers on behalf of an admin; ``tokens_count``: whether the settings enable OIDC authentication."""

    fetcher: Fetcher
    tokens_count: bool

    def check(self, issuer: str) -> Report:
        """Fetch an issuer's keys without any cache, and return the report; never raises."""
        steps: list[Step] = []
        try:
            load_keys(self.fetcher, issuer, lambda detail: steps.append(Step(STEPS[len(steps)], True, detail)))
        except FetchError as error:
            steps.append(Step(STEPS[len(steps)], False, str(error)))
        return Report(tuple(steps))


def load_keys(fetcher: Fetcher, issuer: str, done: Callable[[str], None] = lambda detail: None) -> KeySet:
    """Fetch an issuer's keys; ``done`` is called with a sentence after each of :data:`STEPS`.

    :raises FetchError: a step failed, or the set has no usable key.
    """
    plain = is_plain_loopback(issuer)
    place = fetcher.locate(issuer.rstrip("/") + WELL_KNOWN, plain=plain)
    done(f"{place.host} is at {', '.join(str(where[0]) for _, where in place.addresses)}.")
    document = fetcher.read(place)
    if not isinstance(document, Mapping):
        raise FetchError("The discovery document is not a JSON object.")
    done("The discovery document was read.")
    if document.get("issuer") != issuer:
        raise FetchError(f"The discovery document is of another issuer: {_shown(document.get('issuer'))}.")
    done("It names exactly this issuer.")
    uri = document.get("jwks_uri")
    if not isinstance(uri, str):
        raise FetchError("The discovery document has no `jwks_uri`.")
    place = fetcher.locate(uri, plain=plain)
    done(f"{place.host} is at {', '.join(str(where[0]) for _, where in place.addresses)}.")
    document = fetcher.read(place)
    done("The key set was read.")
    return _usable(document, done)


def _usable(document: Any, done: Callable[[str], None]) -> KeySet:
    try:
        found = key_set(document)
    except Unusable as error:
        raise FetchError(f"The document is not a key set: {error}.") from error
    left_out = f" Left out: {'; '.join(found.faults)}." if found.faults else ""
    if not found.keys:
        raise FetchError(f"The key set has no key that can be used.{left_out}")
    algorithms = sorted(frozenset[str]().union(*(key.algorithms for key in found.keys)))
    done(f"{len(found.keys)} can be used ({', '.join(algorithms)}).{left_out}")
    return found


def is_plain_loopback(issuer: str) -> bool:
    """Return whether an issuer is one for development: http, at a loopback address."""
    try:
        parts = urlsplit(issuer)
        host = parts.hostname or ""
        return parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False


def _shown(issuer: Any) -> str:
    """Return the document's ``issuer`` for an error text: one line, at most 200 characters."""
    return ascii(issuer[:200]) if isinstance(issuer, str) else "none"
