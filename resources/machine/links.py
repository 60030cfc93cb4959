"""Links of a machine to its cluster and machine set."""

from __future__ import annotations

from omni_gateway.sdk import Resource
from omni_gateway.sdk.adapters import object_url


def cluster_link(machine: Resource) -> str | None:
    """Link to the cluster that a machine is a member of."""
    name = machine.spec.get("cluster")
    return object_url("clusters", name) if name else None


def machine_set_link(machine: Resource) -> str | None:
    """Link to the machine set that a machine is in."""
    name = machine.spec.get("machine_set")
    return object_url("machinesets", name) if name else None
