"""Omni's client, its types, labels and errors."""

from omni_gateway.model import enums, label_names
from omni_gateway.omni import OmniError, boot_assets, key_pairs, types
from omni_gateway.omni import deadline as omni_deadline
from omni_gateway.omni import errors as omni_errors
from omni_gateway.omni.management import Overlay
from omni_gateway.rest import account_keys

__all__ = [
    "OmniError",
    "Overlay",
    "account_keys",
    "boot_assets",
    "enums",
    "key_pairs",
    "label_names",
    "omni_deadline",
    "omni_errors",
    "types",
]
