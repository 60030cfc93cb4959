"""Signing of calls, which Omni requires of every caller: an OpenPGP signature of path and metadata."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import quote

import grpc
import orjson
import pysequoia

from omni_gateway.omni.errors import CredentialRefused
from omni_gateway.omni.keys import KeyIdentity, ServiceAccountKey

Metadata = Sequence[tuple[str, str]]

TIMESTAMP = "x-sidero-timestamp"
PAYLOAD = "x-sidero-payload"
SIGNATURE = "x-sidero-signature"
_VERSION = "siderov1"
_SIGNED_KEYS = frozenset(
    {TIMESTAMP, "nodes", "selectors", "runtime", "context", "cluster", "namespace", "uid", "authorization"}
)
_NOT_ESCAPED = "!#$%&'()*+,/:;=?@[]~"


class Signer(Protocol):
    """An identity that calls are made as; another implementation may sign with a caller's own key."""

    @property
    def identity(self) -> KeyIdentity:
        """Return the identity that Omni sees."""

    def sign(self, path: str, metadata: Metadata) -> Metadata:
        """Return the entries to add to a call to ``path`` (``/package.Service/Method``) that carries ``metadata``.

        Raises ``CredentialRefused`` when the identity cannot sign any more.
        """


class KeySigner:
    """Sign with a service account's key; about 0.1 ms a call, and safe to share between threads."""

    def __init__(self, key: ServiceAccountKey, clock: Callable[[], float] = time.time) -> None:
        self._identity = key.identity
        self._secret = key.secret
        self._clock = clock
        self._signer: pysequoia.PySigner | None = None
        name = quote(key.identity.name, safe=_NOT_ESCAPED)
        self._prefix = f"{_VERSION} {name} {key.identity.fingerprint} "

    @property
    def identity(self) -> KeyIdentity:
        """Return the account's name, the key's fingerprint and expiry."""
        return self._identity

    def sign(self, path: str, metadata: Metadata) -> Metadata:
        """Return timestamp, payload and signature; they stay good for five minutes, so a retry may reuse them."""
        timestamp = (TIMESTAMP, str(int(self._clock())))
        payload = signed_payload(path, [timestamp, *metadata])
        signature = pysequoia.sign(self._ready(), payload, mode=pysequoia.SignatureMode.DETACHED, armor=False)
        return (
            timestamp,
            (PAYLOAD, payload.decode("ascii")),
            (SIGNATURE, self._prefix + base64.b64encode(signature).decode("ascii")),
        )

    def _ready(self) -> pysequoia.PySigner:
        if self._signer is None:
            try:
                self._signer = self._secret.signer()
            except Exception:  # the library's error carries a native stack trace, never to be shown
                raise CredentialRefused(grpc.StatusCode.UNAUTHENTICATED, self._why_not()) from None
        return self._signer

    def _why_not(self) -> str:
        if self._identity.expires is not None and self._identity.expired():
            return f"the key of {self._identity.name!r} expired at {self._identity.expires.isoformat()}"
        return f"the key of {self._identity.name!r} cannot sign: it has no usable signing key or asks for a passphrase"


class AnonymousSigner:
    """No identity: calls are not signed, and Omni answers only those that need no authentication."""

    identity = KeyIdentity("", "")

    def sign(self, path: str, metadata: Metadata) -> Metadata:
        """Return no entries."""
        return ()


def signed_payload(path: str, metadata: Metadata) -> bytes:
    """Return the JSON that is signed: the call's path and every value of each key that the signature must cover.

    A key that the call does not carry is left out: Omni refuses an empty list. ``node`` is never covered.
    """
    headers: dict[str, list[str]] = {}
    for key, value in metadata:
        if key in _SIGNED_KEYS:
            headers.setdefault(key, []).append(value)
    return orjson.dumps({"headers": headers, "method": path})
