"""OpenPGP key pairs of accounts: generation, and checks of public keys that callers bring.

Omni answers ``Unknown`` to every invalid key, so the reason is found here, before the call.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson
import pysequoia

#: The longest life of a key that Omni takes.
LONGEST_LIFE = timedelta(days=365)
#: The life of a key, if none is given.
DEFAULT_LIFE = timedelta(days=364)
#: The shortest life of a key that Omni takes.
SHORTEST_LIFE = timedelta(minutes=10)
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new key: the secret value for ``OMNI_SERVICE_ACCOUNT_KEY``, and the armored public half."""

    value: str = field(repr=False)
    public: str


def make(name: str, email: str, life: timedelta = DEFAULT_LIFE) -> KeyPair:
    """Make an Ed25519 pair for the account ``name``; ``email`` stands in the key's user id, as Omni demands.

    The name beside it is the local part of the address: that of an infrastructure provider has a colon, which RFC 5322
    does not allow there, and Omni refuses such a key.
    """
    secret = pysequoia.Tsk.generate(
        user_id=f"{email.partition('@')[0]} <{email}>",
        validity_seconds=int(life.total_seconds()),
        profile=pysequoia.Profile.RFC4880,
    )
    document = orjson.dumps({"name": name, "pgp_key": str(secret)})
    return KeyPair(base64.b64encode(document).decode(), str(secret.extract_certificate()))


def fingerprint(armored: str) -> str:
    """Return a public key's fingerprint, by which Omni lists it; empty if the text is not a key."""
    try:
        return str(pysequoia.Cert.from_bytes(armored.encode()).fingerprint).lower()
    except Exception:  # the library raises RuntimeError with a native stack trace
        return ""


def fault(armored: str) -> str:
    """Return why Omni would refuse a public key, or an empty text."""
    if "PRIVATE KEY" in armored:
        return "This is a private key: never send it anywhere; send the public half."
    try:
        certificate = pysequoia.Cert.from_bytes(armored.encode())
    except Exception:  # the library raises RuntimeError with a native stack trace
        return "Must be an armored OpenPGP public key."
    if not any(_EMAIL.search(str(user)) for user in certificate.user_ids):
        return "The key's user id must hold an e-mail address."
    expires = certificate.expiration
    if expires is None or expires - datetime.now(UTC) > LONGEST_LIFE:
        return f"The key must expire within {LONGEST_LIFE.days} days."
    return "The key has expired." if expires <= datetime.now(UTC) else ""
