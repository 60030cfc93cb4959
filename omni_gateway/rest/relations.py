"""Complete the labels of cluster, machine set and role before a write.

Omni's controllers find objects by these labels, but its validation does not require all of them: an object that lacks
one is accepted and never takes effect. Labels that follow from the object's machine set or machine are added here;
labels that contradict each other are rejected.
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
    """Add the labels that Omni's controllers need to an object before it is written; most types need none.

    Raises 422 for labels that contradict each other. A missing machine set is left for Omni to reject: the same apply
    may create it.
    """
    if completion := _COMPLETIONS.get(resource.type):
        completion(omni, resource, existing)


def complete_node(omni: OmniClient, node: Resource, machine_set: str = "") -> Resource | None:
    """Add the labels of set, cluster and role to a machine set node; return its machine set, None if it is missing.

    ``machine_set`` is the set's id if the caller names it in a field instead of a label. Raises 422 if field, labels
    and set contradict each other.

    Without the role label Omni accepts the node, and its MachineStatusController then fails for as long as the node
    exists.
    """
    field_errors = FieldErrors()
    labelled = node.labels.get(label_names.LABEL_MACHINE_SET, "")
    if machine_set and labelled and machine_set != labelled:
        field_errors.add("machineset", f"The label {label_names.LABEL_MACHINE_SET} names {labelled!r}.")
        field_errors.add(f"labels.{label_names.LABEL_MACHINE_SET}", f"The field `machineset` names {machine_set!r}.")
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
                field_errors.add(f"labels.{other}", f"Machine set {id!r} has the role {role.rpartition('-')[2]}.")
    named = node.labels.get(label_names.LABEL_CLUSTER, cluster)
    if named and named != cluster:
        field_errors.add(f"labels.{label_names.LABEL_CLUSTER}", f"Machine set {id!r} is not part of cluster {named!r}.")
    field_errors.raise_if_any()
    node.labels = {**node.labels, **derived}
    return found


def clusters_of_set(omni: OmniClient, machine_set: str) -> list[str | None]:
    """Return the cluster of a machine set as a list of one; an empty list if the set does not exist."""
    found = find(omni, types.MACHINE_SETS, machine_set) if machine_set else None
    return [found.labels.get(label_names.LABEL_CLUSTER)] if found else []


def _role(machine_set: Resource | None, id: str, cluster: str) -> str:
    """Return the role's label; for a missing set by its id, since only a set of control planes may have that one."""
    if machine_set is not None:
        return (
            label_names.LABEL_CONTROL_PLANE
            if label_names.LABEL_CONTROL_PLANE in machine_set.labels
            else label_names.LABEL_WORKER
        )
    return label_names.LABEL_CONTROL_PLANE if id == label_names.control_planes(cluster) else label_names.LABEL_WORKER


def complete_cluster(omni: OmniClient, resource: Resource, existing: Resource | None = None) -> None:
    """Add the cluster label to an object that names a machine set, or a machine of a cluster, and no cluster.

    Raises 422 if set or machine belong to another cluster than the one named, or if no cluster can be derived: without
    that label Omni's controllers ignore the object. A set or machine that is in no cluster yet may be named together
    with one. Unchanged labels of ``existing`` are not checked.
    """
    if existing is not None and _same_relations(resource, existing):
        return
    field_errors = FieldErrors()
    cluster = _cluster_from(omni, resource, _WITHIN_CLUSTER, field_errors)
    if not cluster:
        parts = [repr(resource.labels[label]) for label in _WITHIN_CLUSTER if resource.labels.get(label)]
        text = "Required: the id of the cluster; without it the object takes no effect."
        text += f" It cannot be derived: {' and '.join(parts)} is in none." if parts else ""
        field_errors.add(f"labels.{label_names.LABEL_CLUSTER}", text)
    field_errors.raise_if_any()
    resource.labels = {**resource.labels, label_names.LABEL_CLUSTER: cluster}


def complete_patch(omni: OmniClient, patch: Resource, existing: Resource | None = None) -> None:
    """Add the cluster label to a config patch for a part of a cluster, as :func:`complete_cluster` does.

    A patch with the label ``machine`` needs no cluster, since it follows the machine; a patch without any of these
    labels applies to no machine.
    """
    if label_names.LABEL_MACHINE_SET in patch.labels or label_names.LABEL_CLUSTER_MACHINE in patch.labels:
        complete_cluster(omni, patch, existing)
    elif existing is None or not _same_relations(patch, existing):
        field_errors = FieldErrors()
        if patch.labels.get(label_names.LABEL_CLUSTER):
            _cluster_from(omni, patch, (label_names.LABEL_MACHINE,), field_errors)
        field_errors.raise_if_any()


_WITHIN_CLUSTER = (label_names.LABEL_MACHINE_SET, label_names.LABEL_CLUSTER_MACHINE)
_RELATIONS = (label_names.LABEL_CLUSTER, *_WITHIN_CLUSTER, label_names.LABEL_MACHINE)


def _same_relations(resource: Resource, existing: Resource) -> bool:
    return all(resource.labels.get(label) == existing.labels.get(label) for label in _RELATIONS)


def _cluster_from(omni: OmniClient, resource: Resource, labels: Sequence[str], field_errors: FieldErrors) -> str:
    """Return the cluster that an object names, or that of the set or machine that it names; empty if there is none."""
    cluster = resource.labels.get(label_names.LABEL_CLUSTER, "")
    for label in labels:
        owners = _owners(omni, label, resource.labels.get(label, ""))
        cluster = cluster or (owners[0] if owners else "")
        if owners and cluster not in owners:
            text = f"{resource.labels[label]!r} is of cluster {owners[0]!r}, not of {cluster!r}."
            field_errors.add(f"labels.{label}", text)
            field_errors.add(f"labels.{label_names.LABEL_CLUSTER}", text)
    return cluster


def _owners(omni: OmniClient, label: str, id: str) -> list[str]:
    """Return the clusters of a machine set or machine; a machine that moves from one cluster to another has two."""
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
