"""Reading what may not be there."""

from __future__ import annotations

from omni_gateway.sdk import OmniClient, Resource, omni_errors
from resources.cluster import names


def find(omni: OmniClient, type: str, id: str, namespace: str = "default") -> Resource | None:
    """Return the object, or None when there is none."""
    try:
        return Resource.from_omni(omni.resources.get(type, id, namespace))
    except omni_errors.NotFound:
        return None


def has_control_plane(omni: OmniClient, cluster: str) -> bool:
    """Whether the cluster has a control plane machine set; without one nothing of it ever runs."""
    return find(omni, names.MACHINE_SETS, names.control_planes(cluster)) is not None
