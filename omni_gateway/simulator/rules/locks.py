"""Locks: a locked cluster takes no changes of itself, its machine sets and their nodes."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator import labels
from omni_gateway.simulator.rules.base import RuleContext
from omni_gateway.simulator.state.resource import Resource

CLUSTER = "Clusters.omni.sidero.dev"
CLUSTER_STATUS = "ClusterStatuses.omni.sidero.dev"
IMPORTING = labels.PREFIX + "cluster-import-is-in-progress"


def is_locked(cluster: Resource) -> bool:
    """Return whether a cluster is locked."""
    return labels.CLUSTER_LOCKED in cluster.annotations


def is_importing(cluster: Resource) -> bool:
    """Return whether a cluster is being imported: then it is locked against removal only."""
    return IMPORTING in cluster.annotations


def against_change(cluster: Resource | None) -> Iterator[str]:
    """Yield the lock's objection to additions to a cluster and to changes of its parts."""
    if cluster is not None and is_locked(cluster) and not is_importing(cluster):
        yield f"the cluster {cluster.id!r} is locked"


def against_removal(ctx: RuleContext, cluster: Resource) -> Iterator[str]:
    """Yield the lock's objection to the removal of a cluster; an import that failed may be removed."""
    status = ctx.find(CLUSTER_STATUS, cluster.id)
    if is_locked(cluster) and status is not None and labels.TAINTED_BY_IMPORT not in status.labels:
        yield f"the cluster {cluster.id!r} is locked"


def against_removal_of_parts(cluster: Resource | None) -> Iterator[str]:
    """Yield the lock's objection to the removal of machine sets and nodes, also during an import."""
    if cluster is not None and is_locked(cluster) and cluster.phase == "running":
        yield f"the cluster {cluster.id!r} is locked"
