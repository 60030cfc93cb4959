"""Secrets inside the texts that Omni shows of a machine, and what is left of them for readers.

Whoever has the join token can add machines to this Omni; it stands in kernel command lines, in schematics and in boot
logs (facts: machine-auth-side 2).
"""

from __future__ import annotations

import re

MASK = "***"

_TOKEN = r"(jointoken(?:=|%3D))[^\s\"'&,;\\]+"  # noqa: S105 (a pattern, not a secret)
_TOKEN_IN_TEXT = re.compile(_TOKEN, re.IGNORECASE)
_TOKEN_IN_BYTES = re.compile(_TOKEN.encode(), re.IGNORECASE)

#: Members of a Talos configuration whose values are secret, as they stand in YAML or in a diff of it.
_SECRET_MEMBER = re.compile(
    r"(?im)^([ \t+-]*(?:token|secret|key|password|auth|identityToken|privateKey|aescbcEncryptionSecret"
    r"|secretboxEncryptionSecret)[ \t]*:[ \t]+)(?!\{\}|\[\]|null\b|\"\"|'')\S.*$"
)


def mask_tokens(text: str) -> str:
    """Return the text without join tokens: ``…?jointoken=***``."""
    return _TOKEN_IN_TEXT.sub(rf"\1{MASK}", text)


def mask_tokens_in_line(line: bytes) -> bytes:
    """Return a log line without join tokens."""
    return _TOKEN_IN_BYTES.sub(rb"\1" + MASK.encode(), line)


def mask_configuration(text: str) -> str:
    """Return a configuration, or a diff of two, without the values of its secret members and without join tokens."""
    return mask_tokens(_SECRET_MEMBER.sub(rf"\g<1>{MASK}", text))
