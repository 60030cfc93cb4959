"""Redaction of secrets inside texts.

Omni's errors quote their input: a kernel command line has the join token, an invalid key is quoted in part.
"""

from __future__ import annotations

import re

MASK = "***"

_TOKEN = r"(jointoken(?:=|%3D))[^\s\"'&,;\\]+"  # noqa: S105 (a pattern, not a secret)
_TOKEN_IN_TEXT = re.compile(_TOKEN, re.IGNORECASE)
_TOKEN_IN_BYTES = re.compile(_TOKEN.encode(), re.IGNORECASE)
#: Armoured private keys, truncated ones too; Omni keys and JWTs, both base64 of ``{"``; the gateway's tokens.
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----(?:(?!-----END).)*(?:-----END [A-Z ]*-----)?"
    r"|\beyJ[A-Za-z0-9_+/=.-]{40,}"
    r"|\bogw_[A-Za-z0-9_-]{16,}",
    re.DOTALL,
)


def mask_tokens(text: str) -> str:
    """Return the text with join tokens masked: ``…?jointoken=***``."""
    return _TOKEN_IN_TEXT.sub(rf"\1{MASK}", text)


def mask_tokens_in_line(line: bytes) -> bytes:
    """Return a log line with join tokens masked."""
    return _TOKEN_IN_BYTES.sub(rb"\1" + MASK.encode(), line)


def mask_secrets(text: str) -> str:
    """Return the text with join tokens, private keys, Omni keys, JWTs and the gateway's tokens masked."""
    return _SECRET.sub(MASK, mask_tokens(text))
