"""Look-ups of the clusters that machines, labels and UUIDs refer to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omni_gateway.model.label_names import LABEL_CLUSTER, LABEL_CLUSTER_MACHINE, LABEL_MACHINE, LABEL_MACHINE_SET
from omni_gateway.model.lookup import find, find_by_ids
from omni_gateway.model.omni_objects import resources_of
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, types


def clusters_of_machines(omni: OmniClient, ids: Sequence[str]) -> list[str | None]:
    """Return the cluster of each machine, in order; None for a machine that is in no cluster or does not exist."""
    statuses = find_by_ids(omni, types.MACHINE_STATUSES, ids)
    return [cluster_of_machine_status(statuses.get(id)) for id in ids]


def cluster_of_machine_status(status: Resource | None) -> str | None:
    """Return the cluster that a machine's status names; None if it names none, or there is no such machine."""
    return str(status.spec.get("cluster") or "") or None if status is not None else None


def clusters_of_labels(omni: OmniClient, labels: Mapping[str, str]) -> list[str | None]:
    """Return the clusters of the machine set and the machines that labels name; None among them for a free machine.

    A missing set is skipped, and so is a free machine that the label ``cluster-machine`` names: Omni applies both
    within the labelled cluster only. An object with the label ``machine`` follows that machine into any cluster, so a
    free machine counts as None.
    """
    named: list[str | None] = []
    if id := labels.get(LABEL_MACHINE_SET):
        found = find(omni, types.MACHINE_SETS, id)
        named += [found.labels.get(LABEL_CLUSTER)] if found else []
    if id := labels.get(LABEL_CLUSTER_MACHINE):
        named += clusters_of_machine(omni, id)
    if id := labels.get(LABEL_MACHINE):
        named += clusters_of_machine(omni, id) or [None]
    return named


def clusters_of_machine(omni: OmniClient, id: str) -> list[str]:
    """Return the cluster that a machine is in and the cluster of its machine set node; empty for a free machine.

    The node exists before the machine has joined its cluster, so the two may differ or be equal.
    """
    node = find(omni, types.MACHINE_SET_NODES, id)
    clusters = [*clusters_of_machines(omni, [id]), node.labels.get(LABEL_CLUSTER) if node else None]
    return [cluster for cluster in clusters if cluster]


def cluster_of_uuid(omni: OmniClient, uuid: str) -> str | None:
    """Return the cluster with a UUID, which is how backups refer to it; None for an unknown UUID."""
    known = resources_of(omni.resources.list(types.CLUSTER_UUIDS))
    return next((item.id for item in known if uuid and item.spec.get("uuid") == uuid), None)
