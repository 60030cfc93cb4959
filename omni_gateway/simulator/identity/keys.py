"""OpenPGP keys of accounts: checks of a public key that is registered, and new key pairs."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
import pysequoia

from omni_gateway.simulator.errors import Unknown

LONGEST_LIFE = timedelta(days=365, minutes=1)
#: A user id as Go's mail.ParseAddress takes it (RFC 5322): a phrase without special characters, then the address.
_ADDRESS = re.compile(r"(?:[\w !#$%&'*+\-/=?^`{|}~.()]+|\"[^\"]*\" )?<[^@\s<>]+@[^@\s<>]+>|[^@\s<>:]+@[^@\s<>]+")
_LEAD = timedelta(minutes=1)


@dataclass(frozen=True)
class PublicKey:
    """A registered key: its fingerprint in lower-case hex, its armored text, when it expires."""

    fingerprint: str
    armored: str
    expires: datetime


def read_public_key(armored: str, now: datetime | None = None) -> PublicKey:
    """Check a public key that is to be registered.

    :class:`Unknown` (as Omni has it) when it does not parse, is private, never expires, lives for more than a year,
    or has no user id that is an e-mail address with or without a name.
    """
    try:
        cert = pysequoia.Cert.from_bytes(armored.encode())
    except Exception:  # the library raises RuntimeError with a native stack trace
        raise Unknown("the public key does not parse") from None
    if "PRIVATE KEY" in armored:
        raise Unknown("that is a private key: only the public half is ever sent")
    if not any(_ADDRESS.fullmatch(str(user)) for user in cert.user_ids):
        raise Unknown("the key's user id has no e-mail address")
    expires = cert.expiration
    if expires is None:
        raise Unknown("the key has no expiry")
    if expires - (now or datetime.now(UTC)) > LONGEST_LIFE:
        raise Unknown("the key lives for more than 365 days")
    return PublicKey(cert.fingerprint.lower(), str(cert), expires)


@dataclass(frozen=True)
class KeyPair:
    """A new key: the value that a client is configured with (a secret), and the public half to register."""

    encoded: str
    public: str

    def __repr__(self) -> str:
        return "KeyPair(...)"


def generate(name: str, email: str, life: timedelta = timedelta(days=364)) -> KeyPair:
    """Make a key pair for an account of that short name."""
    # The library back-dates a key by a minute, so that minute is added to its life.
    secret = pysequoia.Tsk.generate(
        user_id=f"{email.partition('@')[0]} (simulator) <{email}>",
        validity_seconds=int((life + _LEAD).total_seconds()),
        profile=pysequoia.Profile.RFC4880,
    )
    value = orjson.dumps({"name": name, "pgp_key": str(secret)})
    return KeyPair(base64.b64encode(value).decode(), str(secret.extract_certificate()))


def public_half(encoded: str) -> tuple[str, str]:
    """Return the name and the armored public key of a client's key value; ValueError when it is none."""
    try:
        value = orjson.loads(base64.b64decode(encoded, validate=True))
        secret = pysequoia.Tsk.from_bytes(value["pgp_key"].encode())
        return str(value["name"]), str(secret.extract_certificate())
    except Exception:  # never with the cause: it may quote the key
        raise ValueError("not the value of a service account's key") from None
