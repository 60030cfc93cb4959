"""The keys of a JSON Web Key Set (RFC 7517) that may verify a token here, and why the others may not."""

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
"""Bits; a verification takes time with the square of it."""
LONGEST_KID = 500

#: Key type and curve → what its signatures may be called. Nothing symmetric, and no ``none``.
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
    """A public key, and the algorithms that it may verify."""

    kid: str | None
    algorithms: frozenset[str]
    key: Key = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeySet:
    """An issuer's keys; ``faults`` tells of those that are left out."""

    keys: tuple[VerifyingKey, ...] = ()
    faults: tuple[str, ...] = ()

    def select(self, kid: str | None, algorithm: str) -> tuple[VerifyingKey, ...]:
        """Return the keys that may verify a token; one without a ``kid`` may be of any key of its algorithm."""
        return tuple(key for key in self.keys if algorithm in key.algorithms and kid in (None, key.kid))


class Unusable(Exception):
    """A key cannot be used here; the text says why."""


def key_set(document: Any) -> KeySet:
    """Read a key set; what is no key for signatures is left out. :class:`Unusable`: it is no key set at all."""
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
        raise Unusable("it is no object")
    kid, said = entry.get("kid"), entry.get("alg")
    if kid is not None and not (isinstance(kid, str) and len(kid) <= LONGEST_KID):
        raise Unusable("its `kid` is no text, or too long")
    possible = ALGORITHMS.get((str(entry.get("kty")), "" if entry.get("kty") == "RSA" else str(entry.get("crv"))))
    if possible is None:
        raise Unusable("its type or curve is not for signatures that are taken here")
    if not _SECRET_MEMBERS.isdisjoint(entry):
        raise Unusable("it is a secret key, which everybody can read there")
    if entry.get("use", "sig") != "sig":
        raise Unusable("its `use` is not `sig`")
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise Unusable("its `key_ops` have no `verify`")
    algorithms = possible if said is None else possible & {str(said)}
    if not algorithms:
        raise Unusable("its `alg` does not go with its type, or is not taken here")
    return VerifyingKey(
        kid, algorithms, _import({name: entry[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in entry})
    )


def _import(members: Mapping[str, Any]) -> Key:
    try:
        if members["kty"] == "RSA":
            _check_size(int.from_bytes(urlsafe_b64decode(members["n"].encode()), "big").bit_length())
        return import_key(dict(members))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, UnsupportedAlgorithm) as error:
        raise Unusable("its numbers are no key") from error


def _check_size(bits: int) -> None:
    if not SMALLEST_RSA <= bits <= LARGEST_RSA:
        raise Unusable(f"it has {bits} bits; {SMALLEST_RSA} to {LARGEST_RSA} are taken")
