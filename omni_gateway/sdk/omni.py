"""Omni's client, its types, labels and errors."""

from omni_gateway.model import enums, label_names
from omni_gateway.omni import OmniError, key_pairs, types
from omni_gateway.omni import deadline as omni_deadline
from omni_gateway.omni import errors as omni_errors
from omni_gateway.omni.management import Overlay

__all__ = [
    "OmniError",
    "Overlay",
    "enums",
    "key_pairs",
    "label_names",
    "omni_deadline",
    "omni_errors",
    "types",
]
