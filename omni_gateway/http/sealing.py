"""Secrets of an answer, encrypted for the caller who got it: the gateway keeps them and cannot read them.

The encryption key is made of the caller's own credential, of which the gateway's store has a hash at most. It takes
that credential and the record to read a secret back.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SALT_BYTES, _NONCE_BYTES = 16, 12
_INFO = b"omni-gateway idempotency 1"


def seal(secret: bytes, credential: str, context: str) -> bytes:
    """Encrypt a secret for the holder of ``credential``; it can be read with the same ``context`` only.

    The credential must not be guessable (a token, a key, a signed JWT): nothing slows down who tries many.
    """
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    return salt + nonce + AESGCM(_key(credential, salt)).encrypt(nonce, secret, context.encode())


def unseal(sealed: bytes, credential: str, context: str) -> bytes | None:
    """Return what was sealed; None for another credential or context, or a record that was changed."""
    salt, nonce, rest = (
        sealed[:_SALT_BYTES],
        sealed[_SALT_BYTES : _SALT_BYTES + _NONCE_BYTES],
        sealed[_SALT_BYTES + _NONCE_BYTES :],
    )
    try:
        return AESGCM(_key(credential, salt)).decrypt(nonce, rest, context.encode())
    except (InvalidTag, ValueError):
        return None


def _key(credential: str, salt: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=_INFO).derive(credential.encode())
