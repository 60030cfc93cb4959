"""Secrets inside the texts that Omni shows of a machine, and what is left of them for readers.

Whoever has the join token can add machines to this Omni; it stands in kernel command lines, in schematics and in boot
logs (facts: machine-auth-side 2).
"""

from __future__ import annotations

import re

from omni_gateway.redaction.text import MASK, mask_tokens, mask_tokens_in_line

__all__ = ["MASK", "mask_configuration", "mask_tokens", "mask_tokens_in_line"]

#: Members of a Talos configuration whose values are secret, as they stand in YAML or in a diff of it.
_SECRET_MEMBER = re.compile(
    r"(?im)^([ \t+-]*(?:token|secret|key|password|auth|identityToken|privateKey|aescbcEncryptionSecret"
    r"|secretboxEncryptionSecret)[ \t]*:[ \t]+)(?!\{\}|\[\]|null\b|\"\"|'')\S.*$"
)


def mask_configuration(text: str) -> str:
    """Return a configuration, or a diff of two, without the values of its secret members and without join tokens."""
    return mask_tokens(_SECRET_MEMBER.sub(rf"\g<1>{MASK}", text))
