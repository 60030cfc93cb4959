"""Labels that tie an object to its cluster, its machine set and its role, completed before a write.

Omni's controllers find objects by these labels, and its validation does not ask for all of them: an object that lacks
one is accepted and never takes effect. What can be derived from the object's machine set or machine is added here;
labels that contradict each other are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from omni_gateway.omni import OmniClient, types
from omni_gateway.sdk import names
from omni_gateway.sdk.cluster_members import clusters_of_machines
from omni_gateway.sdk.reading import find
from omni_gateway.sdk.refusals import Refusals
from omni_gateway.sdk.resource import Resource

_ROLES = (names.LABEL_CONTROL_PLANE, names.LABEL_WORKER)


def complete(omni: OmniClient, resource: Resource) -> None:
    """Add the labels that Omni's controllers need to an object that is to be written; does nothing for most types.

    Raises 422 for labels that contradict each other. A machine set that is not there is left for Omni to refuse: in an
    apply it may still come.
    """
    if completion := _COMPLETIONS.get(resource.type):
        completion(omni, resource)


def complete_node(omni: OmniClient, node: Resource, machine_set: str = "") -> Resource | None:
    """Add a machine set node's set, cluster and role, as the machine set has them; return the set if it is there.

    ``machine_set`` is the set's id where the caller names it in a field instead of a label. Without the role label
    Omni accepts the node and its MachineStatusController then fails for as long as the node exists. Raises 422 where
    field, labels and set contradict each other.
    """
    refusals = Refusals()
    labelled = node.labels.get(names.LABEL_MACHINE_SET, "")
    if machine_set and labelled and machine_set != labelled:
        refusals.add("machineset", f"The label {names.LABEL_MACHINE_SET} names {labelled!r}.")
    id = machine_set or labelled
    found = find(omni, types.MACHINE_SETS, id) if id else None
    derived = {names.LABEL_MACHINE_SET: id} if id else {}
    cluster = found.labels.get(names.LABEL_CLUSTER, "") if found else node.labels.get(names.LABEL_CLUSTER, "")
    if cluster:
        derived[names.LABEL_CLUSTER] = cluster
    if id and cluster:
        role = _role(found, id, cluster)
        derived[role] = ""
        for other in set(_ROLES) - {role}:
            if other in node.labels:
                refusals.add(f"labels.{other}", f"Machine set {id!r} has the role {role.rpartition('-')[2]}.")
    said = node.labels.get(names.LABEL_CLUSTER, cluster)
    if said and said != cluster:
        refusals.add(f"labels.{names.LABEL_CLUSTER}", f"Machine set {id!r} is not one of cluster {said!r}.")
    refusals.raise_any()
    node.labels = {**node.labels, **derived}
    return found


def clusters_of_set(omni: OmniClient, machine_set: str) -> list[str | None]:
    """Return the cluster of a machine set that a write names in a field; nothing for a set that is not there."""
    found = find(omni, types.MACHINE_SETS, machine_set) if machine_set else None
    return [found.labels.get(names.LABEL_CLUSTER)] if found else []


def _role(machine_set: Resource | None, id: str, cluster: str) -> str:
    """Return the role's label; of a set that is not there yet by its id, for only control planes may have that one."""
    if machine_set is not None:
        return names.LABEL_CONTROL_PLANE if names.LABEL_CONTROL_PLANE in machine_set.labels else names.LABEL_WORKER
    return names.LABEL_CONTROL_PLANE if id == names.control_planes(cluster) else names.LABEL_WORKER


def complete_cluster(omni: OmniClient, resource: Resource) -> None:
    """Add the cluster of an object that names a machine set, or a machine of a cluster, and no cluster.

    Raises 422 where set or machine belong to another cluster than the one that is named, and where there is none to
    name: without that label Omni's controllers never look at the object.
    """
    refusals = Refusals()
    named = resource.labels.get(names.LABEL_CLUSTER, "")
    belongs: dict[str, str] = {}
    if id := resource.labels.get(names.LABEL_MACHINE_SET, ""):
        found = find(omni, types.MACHINE_SETS, id)
        belongs[names.LABEL_MACHINE_SET] = found.labels.get(names.LABEL_CLUSTER, "") if found else ""
    if id := resource.labels.get(names.LABEL_CLUSTER_MACHINE, ""):
        belongs[names.LABEL_CLUSTER_MACHINE] = clusters_of_machines(omni, [id])[0] or ""
    clusters = {cluster for cluster in belongs.values() if cluster}
    cluster = named or (clusters.pop() if len(clusters) == 1 else "")
    if not cluster:
        text = "Names the cluster; without it the object takes no effect."
        refusals.add(f"labels.{names.LABEL_CLUSTER}", text)
    for label, of in belongs.items():
        if cluster and of and of != cluster:
            refusals.add(f"labels.{label}", f"{resource.labels[label]!r} is not of cluster {cluster!r}.")
    refusals.raise_any()
    resource.labels = {**resource.labels, names.LABEL_CLUSTER: cluster}


def _node(omni: OmniClient, node: Resource) -> None:
    complete_node(omni, node)


_COMPLETIONS: Mapping[str, Callable[[OmniClient, Resource], None]] = {
    types.MACHINE_SET_NODES: _node,
    types.EXTENSIONS_CONFIGURATIONS: complete_cluster,
    types.KUBERNETES_HEALTH_CHECKS: complete_cluster,
}
