"""Which clusters machines are in, and what else names one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omni_gateway.model.label_names import LABEL_CLUSTER, LABEL_CLUSTER_MACHINE, LABEL_MACHINE, LABEL_MACHINE_SET
from omni_gateway.model.lookup import find
from omni_gateway.model.omni_objects import resources_of
from omni_gateway.omni import OmniClient, types

#: From so many machines on, one list is asked for instead of each.
LIST_FROM = 4


def clusters_of_machines(omni: OmniClient, ids: Sequence[str]) -> list[str | None]:
    """Return the cluster of each machine; None for one that is in none, or not there."""
    if len(ids) >= LIST_FROM:
        known = {status.id: status for status in resources_of(omni.resources.list(types.MACHINE_STATUSES))}
        found = [known.get(id) for id in ids]
    else:
        found = [find(omni, types.MACHINE_STATUSES, id) for id in ids]
    return [str(status.spec["cluster"]) if status and status.spec.get("cluster") else None for status in found]


def clusters_of_labels(omni: OmniClient, labels: Mapping[str, str]) -> list[str | None]:
    """Return the clusters of the machine set and the machines that labels name; None for a free machine.

    A set that is not there yet counts for nothing, and neither does a free machine that is named as a member
    (``cluster-machine``): Omni looks at both within the labelled cluster only. What is labelled with a ``machine``
    follows that one wherever it goes (facts: cluster-side 6).
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
    """Return the cluster that a machine is in and the one that a node puts it into, which may come first."""
    node = find(omni, types.MACHINE_SET_NODES, id)
    said = [*clusters_of_machines(omni, [id]), node.labels.get(LABEL_CLUSTER) if node else None]
    return [cluster for cluster in said if cluster]


def cluster_of_uuid(omni: OmniClient, uuid: str) -> str | None:
    """Return the cluster of a UUID, by which backups name the one that they are of; None for an unknown one."""
    known = resources_of(omni.resources.list(types.CLUSTER_UUIDS))
    return next((item.id for item in known if uuid and item.spec.get("uuid") == uuid), None)
