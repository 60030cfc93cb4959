"""Masking of secrets: the mask, and functions that mask secrets in configurations and log lines."""

from omni_gateway.redaction.configuration import MASK, mask_configuration, mask_tokens, mask_tokens_in_line

__all__ = ["MASK", "mask_configuration", "mask_tokens", "mask_tokens_in_line"]
