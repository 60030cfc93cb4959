"""The fields of schemas, in Omni's forms of values."""

from omni_gateway.rest.fields import (
    Boolean,
    ClusterPatterns,
    Duration,
    Enum,
    Int64,
    Integer,
    Masked,
    Message,
    Rendered,
    Secret,
    Timestamp,
)
from omni_gateway.rest.kubeconfig_tokens import token_groups, token_ttl
from omni_gateway.rest.machine_names import MachineId

__all__ = [
    "Boolean",
    "ClusterPatterns",
    "Duration",
    "Enum",
    "Int64",
    "Integer",
    "MachineId",
    "Masked",
    "Message",
    "Rendered",
    "Secret",
    "Timestamp",
    "token_groups",
    "token_ttl",
]
