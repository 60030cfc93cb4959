"""From an issuer's URL to its keys (OpenID Connect Discovery 1.0 §4), and what goes wrong on the way, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from omni_gateway.auth.oidc.fetching import Fetcher, FetchError
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
"""In the order in which they are taken; each needs the ones before it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to an issuer's keys."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """How far the way to an issuer's keys leads: the steps taken, of which only the last may have failed."""

    steps: tuple[Step, ...]

    @property
    def ok(self) -> bool:
        """Whether it leads to keys that can be used."""
        return len(self.steps) == len(STEPS) and all(step.ok for step in self.steps)


@dataclass(frozen=True, slots=True)
class IssuerChecks:
    """Tries issuers on behalf of an admin; ``tokens_count``: whether JWTs are a way in at all, by the settings."""

    fetcher: Fetcher
    tokens_count: bool

    def check(self, issuer: str) -> Report:
        """Go all the way to an issuer's keys, past every cache, and tell how it went; never raises."""
        steps: list[Step] = []
        try:
            load_keys(self.fetcher, issuer, lambda detail: steps.append(Step(STEPS[len(steps)], True, detail)))
        except FetchError as error:
            steps.append(Step(STEPS[len(steps)], False, str(error)))
        return Report(tuple(steps))


def load_keys(fetcher: Fetcher, issuer: str, done: Callable[[str], None] = lambda detail: None) -> KeySet:
    """Fetch an issuer's keys; ``done`` is called with a sentence after each of :data:`STEPS`.

    :raises FetchError: a step failed, or no key of the set can be used.
    """
    plain = is_plain_loopback(issuer)
    place = fetcher.locate(issuer.rstrip("/") + WELL_KNOWN, plain=plain)
    done(f"{place.host} is at {', '.join(str(where[0]) for _, where in place.addresses)}.")
    document = fetcher.read(place)
    if not isinstance(document, Mapping):
        raise FetchError("The discovery document is no JSON object.")
    done("The discovery document was read.")
    if document.get("issuer") != issuer:
        raise FetchError(f"The discovery document is of another issuer: {_shown(document.get('issuer'))}.")
    done("It names this issuer, to the letter.")
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
        raise FetchError(f"The key set is none: {error}.") from error
    left_out = f" Left out: {'; '.join(found.faults)}." if found.faults else ""
    if not found.keys:
        raise FetchError(f"The key set has no key that can be used.{left_out}")
    algorithms = sorted(frozenset[str]().union(*(key.algorithms for key in found.keys)))
    done(f"{len(found.keys)} can be used ({', '.join(algorithms)}).{left_out}")
    return found


def is_plain_loopback(issuer: str) -> bool:
    """Whether an issuer is one of development: http, at a loopback address."""
    try:
        parts = urlsplit(issuer)
        host = parts.hostname or ""
        return parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False


def _shown(issuer: Any) -> str:
    """Return the start of what a document gives for its issuer, on one line."""
    return ascii(issuer[:200]) if isinstance(issuer, str) else "none"
