"""Redaction of machine configurations, and of other texts about machines that Omni returns.

The join token is in kernel command lines, schematics and boot logs; with it machines can be added to this Omni.
"""

from __future__ import annotations

import re

from omni_gateway.redaction.text import MASK, mask_tokens, mask_tokens_in_line

__all__ = ["MASK", "mask_configuration", "mask_tokens", "mask_tokens_in_line"]

#: Members of a Talos configuration whose values are secret, in YAML or in a diff of it.
_SECRET_MEMBER = re.compile(
    r"(?im)^([ \t+-]*(?:token|secret|key|password|auth|identityToken|privateKey|aescbcEncryptionSecret"
    r"|secretboxEncryptionSecret)[ \t]*:[ \t]+)(?!\{\}|\[\]|null\b|\"\"|'')\S.*$"
)


def mask_configuration(text: str) -> str:
    """Return a configuration, or a diff of two, with its secret members' values and join tokens masked."""
    return mask_tokens(_SECRET_MEMBER.sub(rf"\g<1>{MASK}", text))
