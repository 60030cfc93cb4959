"""A service account's key, as Omni returns it when the account is created (``OMNI_SERVICE_ACCOUNT_KEY``)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson
from pysequoia import Tsk

from omni_gateway.omni.faults import ConfigError

_LONGEST_KEY = 64 * 1024
_ARMOR = "-----BEGIN PGP PRIVATE KEY BLOCK-----"


@dataclass(frozen=True, slots=True)
class KeyIdentity:
    """The identity of a key: the account's name, the key's fingerprint (lower-case hex), and the key's expiry."""

    name: str
    fingerprint: str
    expires: datetime | None = None

    def expired(self, at: datetime | None = None) -> bool:
        """Return whether the key has expired at ``at`` (aware; now if not given)."""
        return self.expires is not None and (at or datetime.now(UTC)) >= self.expires


@dataclass(frozen=True, slots=True)
class ServiceAccountKey:
    """A parsed key; the private half shows in no repr."""

    identity: KeyIdentity
    secret: Tsk = field(repr=False)


def parse_key(text: str, *, variable: str = "OMNI_SERVICE_ACCOUNT_KEY") -> ServiceAccountKey:
    """Parse base64 of ``{"name": …, "pgp_key": <armored private key>}``.

    An expired key is parsed too, so that the error at start-up can name its expiry. Raises ``ConfigError`` with
    ``variable`` and the reason, and without any part of the key.
    """
    name, armored = _fields(text, variable)
    try:
        if _ARMOR not in armored:  # the library takes a public key for a private one without its private half
            raise ValueError("not a private key")
        secret = Tsk.from_bytes(armored.encode())
        certificate = secret.extract_certificate()
    except Exception:  # the library raises RuntimeError with a native stack trace, never to be shown
        raise ConfigError(f"{variable} holds no OpenPGP private key in pgp_key") from None
    identity = KeyIdentity(name, certificate.fingerprint.lower(), certificate.expiration)
    return ServiceAccountKey(identity, secret)


def _fields(text: str, variable: str) -> tuple[str, str]:
    if len(text) > _LONGEST_KEY:
        raise ConfigError(f"{variable} is too long to be a service account's key")
    try:
        document = orjson.loads(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError):
        raise ConfigError(f"{variable} is not a service account's key: base64 of a JSON object is expected") from None
    name = document.get("name") if isinstance(document, dict) else None
    armored = document.get("pgp_key") if isinstance(document, dict) else None
    if not isinstance(name, str) or not name or not isinstance(armored, str):
        raise ConfigError(f"{variable} is not a service account's key: name and pgp_key are missing")
    return name, armored
