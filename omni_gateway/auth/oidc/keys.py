"""The usable keys of a JSON Web Key Set (RFC 7517), and the reasons why others are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.util import urlsafe_b64decode

MOST_KEYS = 100
SMALLEST_RSA = 2048
LARGEST_RSA = 8192
"""Bits; the time of a verification grows with their square."""
LONGEST_KID = 500

#: Key type and curve → the algorithms of its signatures. Nothing symmetric, and no ``none`` (RFC 8725 §3.1, §3.2).
ALGORITHMS: Mapping[tuple[str, str], frozenset[str]] = {
    ("RSA", ""): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
    ("OKP", "Ed448"): frozenset({"EdDSA", "Ed448"}),
}
ALLOWED = frozenset[str]().union(*ALGORITHMS.values())

_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key, and the algorithms that it may be used with."""

    kid: str | None
    algorithms: frozenset[str]
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeySet:
    """An issuer's usable keys; ``faults``: a sentence for each key that is left out."""

    keys: tuple[VerifyingKey, ...] = ()
    faults: tuple[str, ...] = ()

    def select(self, kid: str | None, algorithm: str) -> tuple[VerifyingKey, ...]:
        """Return the keys that may verify a token; without a ``kid``, all keys of its algorithm."""
        return tuple(key for key in self.keys if algorithm in key.algorithms and kid in (None, key.kid))


class Unusable(Exception):
    """A key cannot be used here; the text says why."""


def key_set(document: Any) -> KeySet:
    """Parse a key set; unusable keys are left out. Raises :class:`Unusable` if the document is not a key set."""
    entries = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise Unusable("it has no list `keys`")
    if len(entries) > MOST_KEYS:
        raise Unusable(f"it has more than {MOST_KEYS} keys")
    keys, faults = [], []
    for number, entry in enumerate(entries):
        try:
            keys.append(_key(entry))
        except Unusable as error:
            faults.append(f"key {number}: {error}")
    return KeySet(tuple(keys), tuple(faults))


def _key(entry: Any) -> VerifyingKey:
    if not isinstance(entry, Mapping):
        raise Unusable("it is not an object")
    kid, algorithm = entry.get("kid"), entry.get("alg")
    if kid is not None and not (isinstance(kid, str) and len(kid) <= LONGEST_KID):
        raise Unusable("its `kid` is not a string, or too long")
    possible = ALGORITHMS.get((str(entry.get("kty")), "" if entry.get("kty") == "RSA" else str(entry.get("crv"))))
    if possible is None:
        raise Unusable("its type or curve is not supported for signatures")
    if not _SECRET_MEMBERS.isdisjoint(entry):
        raise Unusable("it is a secret key, published for anyone to read")
    if entry.get("use", "sig") != "sig":
        raise Unusable("its `use` is not `sig`")
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise Unusable("its `key_ops` have no `verify`")
    algorithms = possible if algorithm is None else possible & {str(algorithm)}
    if not algorithms:
        raise Unusable("its `alg` does not match its type, or is not supported")
    return VerifyingKey(
        kid, algorithms, _import({name: entry[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in entry})
    )


def _import(members: Mapping[str, Any]) -> Key:
    try:
        if members["kty"] == "RSA":
            _check_size(int.from_bytes(urlsafe_b64decode(members["n"].encode()), "big").bit_length())
        return import_key(dict(members))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, UnsupportedAlgorithm) as error:
        raise Unusable("its numbers do not form a key") from error


def _check_size(bits: int) -> None:
    if not SMALLEST_RSA <= bits <= LARGEST_RSA:
        raise Unusable(f"it has {bits} bits; {SMALLEST_RSA} to {LARGEST_RSA} are supported")
