"""The control plane's machine set, which a cluster may lack."""

from __future__ import annotations

from omni_gateway.sdk import OmniClient
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.omni import label_names, types


def has_control_plane(omni: OmniClient, cluster: str) -> bool:
    """Return whether the cluster has a control plane machine set; without one it never starts."""
    return find(omni, types.MACHINE_SETS, label_names.control_planes(cluster)) is not None
