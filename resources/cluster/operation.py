"""Operations on a cluster: the parts that all of them share, and what they read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import OmniClient, Operation, Resource
from omni_gateway.sdk.actions import State
from omni_gateway.sdk.adapters import find, object_url, resources_of
from omni_gateway.sdk.omni import label_names, types

BEING_REMOVED = "The cluster is being removed."
EMPTY = "There is no control plane yet; add its machine set to bring the cluster up."


def cluster_operation(
    kind: str, id: str, state: State, progress: str = "", error: str = "", details: Mapping[str, Any] | None = None
) -> Operation:
    """Return an operation on the cluster ``id``."""
    return Operation(kind, id, state, progress, error, object_url("clusters", id), details or {})


def get_cluster(omni: OmniClient, id: str) -> Resource:
    """Return the cluster; raises ``omni_errors.NotFound`` if there is none."""
    return Resource.from_omni(omni.resources.get(types.CLUSTERS, id))


def active_clusters(omni: OmniClient) -> list[Resource]:
    """Return the clusters that are not being removed."""
    return [item for item in resources_of(omni.resources.list(types.CLUSTERS)) if not item.tearing_down]


def has_control_plane(omni: OmniClient, cluster: str) -> bool:
    """Return whether the cluster has a control plane machine set; without one it never starts."""
    return find(omni, types.MACHINE_SETS, label_names.control_planes(cluster)) is not None


def is_bootstrapped(omni: OmniClient, id: str) -> bool:
    """Return whether Omni has started the cluster's etcd."""
    status = find(omni, types.CLUSTER_BOOTSTRAP_STATUSES, id)
    return bool(status and status.spec.get("bootstrapped"))
