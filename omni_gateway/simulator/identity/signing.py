"""Verifies the signature of a call and finds its account, by the rules that Omni's server applies."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import orjson
import pysequoia

from omni_gateway.simulator.errors import Unauthenticated
from omni_gateway.simulator.identity import activity
from omni_gateway.simulator.identity.accounts import PUBLIC_KEY, USER, USER_ID, refresh_status
from omni_gateway.simulator.identity.caller import Identity, lesser
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

Metadata = Sequence[tuple[str, str | bytes]]

TIMESTAMP = "x-sidero-timestamp"
PAYLOAD = "x-sidero-payload"
SIGNATURE = "x-sidero-signature"
SIGNED_KEYS = (TIMESTAMP, "nodes", "selectors", "runtime", "context", "cluster", "namespace", "uid", "authorization")
SKEW_SECONDS = 300
_HEADER = re.compile(r"siderov1 ([^ ]*) ([0-9a-f]+) ([A-Za-z0-9+/=]+)")
_BINARY_PACKET = 0x80


class Verifier:
    """Finds who signed a call. Safe to share between threads."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._certs: dict[str, pysequoia.Cert] = {}

    def verify(self, method: str, metadata: Metadata) -> Identity:
        """Return the caller; :class:`Unauthenticated`, with one text for every reason, as Omni has it."""
        try:
            who = self._verified(method, metadata)
        except (_Refused, ValueError, KeyError, TypeError):
            raise Unauthenticated("the call carries no valid signature") from None
        if activity.note(self._store, who):
            refresh_status(self._store, who.name)
        return who

    def _verified(self, method: str, metadata: Metadata) -> Identity:
        payload = _only(metadata, PAYLOAD)
        header = _HEADER.fullmatch(_only(metadata, SIGNATURE))
        if header is None or abs(self._clock() - int(_only(metadata, TIMESTAMP))) > SKEW_SECONDS:
            raise _Refused
        _check_payload(orjson.loads(payload), method, metadata)
        key = self._store.peek("default", PUBLIC_KEY, header[2])
        if key is None or not key.spec.get("confirmed"):
            raise _Refused
        if datetime.fromisoformat(key.spec["expiration"]).timestamp() <= self._clock():
            raise _Refused
        self._check_signature(key, payload.encode(), header[3])
        return self._owner(key)

    def _check_signature(self, key: Resource, payload: bytes, encoded: str) -> None:
        raw = base64.b64decode(encoded, validate=True)
        if not raw or not raw[0] & _BINARY_PACKET:
            raise _Refused
        cert = self._certs.get(key.id)
        if cert is None:
            if len(self._certs) > len(self._store.view("default", PUBLIC_KEY)):
                self._certs.clear()
            cert = pysequoia.Cert.from_bytes(base64.b64decode(key.spec["public_key"]))
            self._certs[key.id] = cert
        try:
            pysequoia.verify(payload, store=lambda _: [cert], signature=pysequoia.Sig.from_bytes(raw))
        except Exception:  # RuntimeError with a native stack trace
            raise _Refused from None

    def _owner(self, key: Resource) -> Identity:
        user_id = key.labels[USER_ID]
        user = self._store.peek("default", USER, user_id)
        if user is None:
            raise _Refused
        role = lesser(user.spec.get("role", "None"), key.spec.get("role", "None"))
        return Identity(key.spec["identity"]["email"], user_id, role, key.id)


class _Refused(Exception):
    """A rule of signing is broken; callers are not shown which one."""


def is_signed(metadata: Metadata) -> bool:
    """Return whether a call carries any part of a signature."""
    return any(key in (SIGNATURE, PAYLOAD) for key, _ in metadata)


def _check_payload(payload: object, method: str, metadata: Metadata) -> None:
    if not isinstance(payload, dict) or payload.get("method") != method:
        raise _Refused
    headers = payload.get("headers")
    if not isinstance(headers, dict) or not headers.get(TIMESTAMP):
        raise _Refused
    for key in SIGNED_KEYS:
        sent = _all(metadata, key)
        # A key that is not sent may be missing or null; an empty list is something else.
        if headers.get(key) != (sent or None):
            raise _Refused


def _all(metadata: Iterable[tuple[str, str | bytes]], key: str) -> list[str]:
    return [value for name, value in metadata if name == key and isinstance(value, str)]


def _only(metadata: Metadata, key: str) -> str:
    values = _all(metadata, key)
    if len(values) != 1:
        raise _Refused
    return values[0]
