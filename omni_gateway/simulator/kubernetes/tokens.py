"""Tokens of service-account kubeconfigs: signed claims that name the cluster, the user and the groups."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any

from omni_gateway.simulator import kinds
from omni_gateway.simulator.state.store import Store


def sign(claims: dict[str, Any], secret: str) -> str:
    """Return a JSON Web Token; ``secret`` is the UUID of the cluster that the claims name."""
    header = {"alg": "HS256", "typ": "JWT"}
    body = ".".join(_encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{body}.{_encode(_mac(body, secret))}"


def verify(store: Store, token: str) -> dict[str, Any] | None:
    """Return the claims of a token that this Omni made for a cluster that is there, and that has not expired."""
    body, _, signature = token.rpartition(".")
    try:
        claims = json.loads(_decode(body.rpartition(".")[2]))
        uuid = store.peek("default", kinds.CLUSTER_UUID, claims["cluster"])
        if uuid is None or not hmac.compare_digest(_decode(signature), _mac(body, uuid.spec["uuid"])):
            return None
        return dict(claims) if claims["nbf"] <= time.time() < claims["exp"] else None
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None


def _mac(body: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
