"""What a secret looks like, and what is shown in its place."""

from omni_gateway.redaction.configuration import MASK, mask_configuration, mask_tokens, mask_tokens_in_line

__all__ = ["MASK", "mask_configuration", "mask_tokens", "mask_tokens_in_line"]
