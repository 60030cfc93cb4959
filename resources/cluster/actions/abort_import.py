"""The action abort-import: give up a cluster that was imported and is still locked, and leave its machines as they are.

Omni resets the machines of a removed cluster, but not those of one that is locked and whose secrets were imported. As
omnictl does, the action then removes the machines from Omni too.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from omni_gateway.sdk import OmniClient, Operation, Problem, Resource, Role
from omni_gateway.sdk.actions import Action, DryRunResult
from omni_gateway.sdk.adapters import find, find_labelled, resources_of
from omni_gateway.sdk.clusters import cluster_lock
from omni_gateway.sdk.omni import label_names, omni_errors, types
from resources.cluster.actions.destroy import REMOVAL
from resources.cluster.adapter import ClusterAdapter

_HINT = "It is managed by Omni: DELETE it, which resets its machines."


def abort_import(
    adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Tear down a cluster that is being imported, and its machines' links; 409 for any other cluster."""
    cluster = adapter.get(id)
    _check_imported(adapter.omni, cluster)
    links = _links(adapter.omni, id)
    if dry_run:
        return DryRunResult(cluster, None, also_deleted=links)
    # The cluster is first: if its removal is refused, no machine is removed. Nor is one reset by Omni after that.
    if not cluster.tearing_down:
        adapter.delete(cluster)
    for link in links:
        with suppress(omni_errors.NotFound):
            adapter.omni.resources.remove(types.LINKS, link.id)
    return REMOVAL.read(adapter.omni, id)


def _check_imported(omni: OmniClient, cluster: Resource) -> None:
    """Raise 409 unless Omni will leave the machines of a cluster as they are: it is locked, its secrets imported."""
    status = find(omni, types.CLUSTER_STATUSES, cluster.id)
    if status is None or label_names.LABEL_TAINTED_BY_IMPORTING not in status.labels:
        raise Problem(409, "conflict", f"Cluster {cluster.id!r} is not being imported.", hint=_HINT)
    if not cluster_lock.is_locked(cluster):
        raise Problem(409, "conflict", f"The import of cluster {cluster.id!r} has ended: it is unlocked.", hint=_HINT)


def _links(omni: OmniClient, cluster: str) -> list[Resource]:
    """Return the links of the cluster's machines."""
    nodes = find_labelled(omni, types.MACHINE_SET_NODES, label_names.LABEL_CLUSTER, cluster)
    machines = {node.id for node in nodes}
    return [link for link in resources_of(omni.resources.list(types.LINKS)) if link.id in machines]


ABORT_IMPORT = Action(
    "abort-import",
    role=Role.OPERATOR,
    summary="Give up the import of the cluster; its machines stay as they are",
    description="Removes the cluster and its machines from Omni and resets none of them. Only while the cluster is"
    " locked and its status has the taint `importing` (409).",
    operation=REMOVAL,
    run=abort_import,
)
