"""Omni's client, its types, labels and errors; writes of many objects at once."""

from omni_gateway.model import enums, label_names
from omni_gateway.omni import OmniError, boot_assets, key_pairs, types
from omni_gateway.omni import deadline as omni_deadline
from omni_gateway.omni import errors as omni_errors
from omni_gateway.omni.management import Overlay
from omni_gateway.rest import account_keys
from omni_gateway.rest.apply.order import rank as write_rank
from omni_gateway.rest.apply.outcomes import Outcome, refuse_incomplete
from omni_gateway.rest.apply.outcomes import count as count_outcomes
from omni_gateway.rest.apply.requests import apply

__all__ = [
    "OmniError",
    "Outcome",
    "Overlay",
    "account_keys",
    "apply",
    "boot_assets",
    "count_outcomes",
    "enums",
    "key_pairs",
    "label_names",
    "omni_deadline",
    "omni_errors",
    "refuse_incomplete",
    "types",
    "write_rank",
]
