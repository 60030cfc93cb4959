"""Encryption of secrets for the holder of a credential, so that the store alone does not reveal them.

The encryption key is derived from the credential, of which the store has a hash at most (HKDF-SHA256, AES-256-GCM).
Decryption takes both the credential and the record.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SALT_BYTES, _NONCE_BYTES = 16, 12
_INFO = b"omni-gateway idempotency 1"


def encrypt(secret: bytes, credential: str, context: str) -> bytes:
    """Encrypt a secret for the holder of ``credential``, bound to ``context`` (AES-GCM's associated data).

    The credential must not be guessable (a token, a key, a signed JWT): HKDF does not slow down brute force.
    """
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    return salt + nonce + AESGCM(_key(credential, salt)).encrypt(nonce, secret, context.encode())


def decrypt(sealed: bytes, credential: str, context: str) -> bytes | None:
    """Return the decrypted secret; None for another credential or context, or a modified record."""
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
