"""Secrets inside texts that others wrote, and what is left of them for readers.

Omni's errors repeat what they are about: a kernel command line has the join token, a bad key is quoted in part.
"""

from __future__ import annotations

import re

MASK = "***"

_TOKEN = r"(jointoken(?:=|%3D))[^\s\"'&,;\\]+"  # noqa: S105 (a pattern, not a secret)
_TOKEN_IN_TEXT = re.compile(_TOKEN, re.IGNORECASE)
_TOKEN_IN_BYTES = re.compile(_TOKEN.encode(), re.IGNORECASE)
#: Private keys in armour, cut off ones too; Omni keys and JWTs, both base64 of ``{"``; tokens of the gateway's.
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY[A-Z ]*-----(?:(?!-----END).)*(?:-----END [A-Z ]*-----)?"
    r"|\beyJ[A-Za-z0-9_+/=.-]{40,}"
    r"|\bogw_[A-Za-z0-9_-]{16,}",
    re.DOTALL,
)


def mask_tokens(text: str) -> str:
    """Return the text without join tokens: ``…?jointoken=***``."""
    return _TOKEN_IN_TEXT.sub(rf"\1{MASK}", text)


def mask_tokens_in_line(line: bytes) -> bytes:
    """Return a log line without join tokens."""
    return _TOKEN_IN_BYTES.sub(rb"\1" + MASK.encode(), line)


def mask_secrets(text: str) -> str:
    """Return the text without join tokens, private keys, Omni keys, JWTs and tokens of the gateway's."""
    return _SECRET.sub(MASK, mask_tokens(text))
