"""Reading what a cluster may not have."""

from __future__ import annotations

from omni_gateway.sdk import OmniClient, find, label_names, types


def has_control_plane(omni: OmniClient, cluster: str) -> bool:
    """Whether the cluster has a control plane machine set; without one nothing of it ever runs."""
    return find(omni, types.MACHINE_SETS, label_names.control_planes(cluster)) is not None
