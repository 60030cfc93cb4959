"""Labels that tie an object to its cluster, its machine set and its role, completed before a write.

Omni's controllers find objects by these labels, and its validation does not ask for all of them: an object that lacks
one is accepted and never takes effect. What can be derived from the object's machine set or machine is added here;
labels that contradict each other are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from omni_gateway.model import label_names
from omni_gateway.model.lookup import find
from omni_gateway.model.membership import clusters_of_machine
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, types
from omni_gateway.rest.field_errors import FieldErrors

_ROLES = (label_names.LABEL_CONTROL_PLANE, label_names.LABEL_WORKER)


def complete(omni: OmniClient, resource: Resource, existing: Resource | None = None) -> None:
    """Add the labels that Omni's controllers need to an object that is to be written; does nothing for most types.

    Raises 422 for labels that contradict each other. A machine set that is not there is left for Omni to refuse: in an
    apply it may still come.
    """
    if completion := _COMPLETIONS.get(resource.type):
        completion(omni, resource, existing)


def complete_node(omni: OmniClient, node: Resource, machine_set: str = "") -> Resource | None:
    """Add a machine set node's set, cluster and role, as the machine set has them; return the set if it is there.

    ``machine_set`` is the set's id where the caller names it in a field instead of a label. Without the role label
    Omni accepts the node and its MachineStatusController then fails for as long as the node exists. Raises 422 where
    field, labels and set contradict each other.
    """
    refusals = FieldErrors()
    labelled = node.labels.get(label_names.LABEL_MACHINE_SET, "")
    if machine_set and labelled and machine_set != labelled:
        refusals.add("machineset", f"The label {label_names.LABEL_MACHINE_SET} names {labelled!r}.")
        refusals.add(f"labels.{label_names.LABEL_MACHINE_SET}", f"The field `machineset` names {machine_set!r}.")
    id = machine_set or labelled
    found = find(omni, types.MACHINE_SETS, id) if id else None
    derived = {label_names.LABEL_MACHINE_SET: id} if id else {}
    cluster = (
        found.labels.get(label_names.LABEL_CLUSTER, "") if found else node.labels.get(label_names.LABEL_CLUSTER, "")
    )
    if cluster:
        derived[label_names.LABEL_CLUSTER] = cluster
    if id and cluster:
        role = _role(found, id, cluster)
        derived[role] = ""
        for other in set(_ROLES) - {role}:
            if other in node.labels:
                refusals.add(f"labels.{other}", f"Machine set {id!r} has the role {role.rpartition('-')[2]}.")
    said = node.labels.get(label_names.LABEL_CLUSTER, cluster)
    if said and said != cluster:
        refusals.add(f"labels.{label_names.LABEL_CLUSTER}", f"Machine set {id!r} is not one of cluster {said!r}.")
    refusals.raise_if_any()
    node.labels = {**node.labels, **derived}
    return found


def clusters_of_set(omni: OmniClient, machine_set: str) -> list[str | None]:
    """Return the cluster of a machine set that a write names in a field; nothing for a set that is not there."""
    found = find(omni, types.MACHINE_SETS, machine_set) if machine_set else None
    return [found.labels.get(label_names.LABEL_CLUSTER)] if found else []


def _role(machine_set: Resource | None, id: str, cluster: str) -> str:
    """Return the role's label; of a set that is not there yet by its id, for only control planes may have that one."""
    if machine_set is not None:
        return (
            label_names.LABEL_CONTROL_PLANE
            if label_names.LABEL_CONTROL_PLANE in machine_set.labels
            else label_names.LABEL_WORKER
        )
    return label_names.LABEL_CONTROL_PLANE if id == label_names.control_planes(cluster) else label_names.LABEL_WORKER


def complete_cluster(omni: OmniClient, resource: Resource, existing: Resource | None = None) -> None:
    """Add the cluster of an object that names a machine set, or a machine of a cluster, and no cluster.

    Raises 422 where set or machine belong to another cluster than the one that is named, and where there is none to
    name: without that label Omni's controllers never look at the object. A set or machine that is in no cluster yet may
    be named beside one. The labels of ``existing`` are let be as long as they are not changed.
    """
    if existing is not None and _same_relations(resource, existing):
        return
    refusals = FieldErrors()
    cluster = _cluster_from(omni, resource, _WITHIN_CLUSTER, refusals)
    if not cluster:
        parts = [repr(resource.labels[label]) for label in _WITHIN_CLUSTER if resource.labels.get(label)]
        text = "Names the cluster; without it the object takes no effect."
        text += f" It cannot be derived: {' and '.join(parts)} is in none." if parts else ""
        refusals.add(f"labels.{label_names.LABEL_CLUSTER}", text)
    refusals.raise_if_any()
    resource.labels = {**resource.labels, label_names.LABEL_CLUSTER: cluster}


def complete_patch(omni: OmniClient, patch: Resource, existing: Resource | None = None) -> None:
    """Add the cluster of a config patch as :func:`complete_cluster` does, where the patch is for a part of one.

    The label ``machine`` needs no cluster, for such a patch follows the machine; a patch without any of these labels is
    for no machine yet.
    """
    if label_names.LABEL_MACHINE_SET in patch.labels or label_names.LABEL_CLUSTER_MACHINE in patch.labels:
        complete_cluster(omni, patch, existing)
    elif existing is None or not _same_relations(patch, existing):
        refusals = FieldErrors()
        if patch.labels.get(label_names.LABEL_CLUSTER):
            _cluster_from(omni, patch, (label_names.LABEL_MACHINE,), refusals)
        refusals.raise_if_any()


_WITHIN_CLUSTER = (label_names.LABEL_MACHINE_SET, label_names.LABEL_CLUSTER_MACHINE)
_RELATIONS = (label_names.LABEL_CLUSTER, *_WITHIN_CLUSTER, label_names.LABEL_MACHINE)


def _same_relations(resource: Resource, existing: Resource) -> bool:
    return all(resource.labels.get(label) == existing.labels.get(label) for label in _RELATIONS)


def _cluster_from(omni: OmniClient, resource: Resource, labels: Sequence[str], refusals: FieldErrors) -> str:
    """Return the cluster that an object names, or else the one that what it names is in; empty where that is none."""
    cluster = resource.labels.get(label_names.LABEL_CLUSTER, "")
    for label in labels:
        owners = _owners(omni, label, resource.labels.get(label, ""))
        cluster = cluster or (owners[0] if owners else "")
        if owners and cluster not in owners:
            text = f"{resource.labels[label]!r} is of cluster {owners[0]!r}, not of {cluster!r}."
            refusals.add(f"labels.{label}", text)
            refusals.add(f"labels.{label_names.LABEL_CLUSTER}", text)
    return cluster


def _owners(omni: OmniClient, label: str, id: str) -> list[str]:
    """Return the clusters that a machine set or a machine is in; a machine on its way is in two."""
    if not id:
        return []
    if label == label_names.LABEL_MACHINE_SET:
        return [cluster for cluster in clusters_of_set(omni, id) if cluster]
    return clusters_of_machine(omni, id)


def _node(omni: OmniClient, node: Resource, existing: Resource | None) -> None:
    complete_node(omni, node)


_COMPLETIONS: Mapping[str, Callable[[OmniClient, Resource, Resource | None], None]] = {
    types.MACHINE_SET_NODES: _node,
    types.CONFIG_PATCHES: complete_patch,
    types.EXTENSIONS_CONFIGURATIONS: complete_cluster,
    types.KUBERNETES_HEALTH_CHECKS: complete_cluster,
}
