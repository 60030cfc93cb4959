"""Rules of machine sets and their nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from omni_gateway.model import label_names
from omni_gateway.model.lookup import find_labelled
from omni_gateway.model.omni_objects import resources_of
from omni_gateway.model.resource import Resource
from omni_gateway.omni import types
from omni_gateway.rest import cluster_lock
from omni_gateway.rest.predictions.rule import Write

_ROLES = (label_names.LABEL_CONTROL_PLANE, label_names.LABEL_WORKER)
_UNLIMITED = 1
_LONGEST_SNAPSHOT = 4096


def machine_set(write: Write) -> Iterator[str]:
    """Yield the errors of a machine set."""
    if not any(role in write.resource.labels for role in _ROLES):
        yield "A machine set has a role label."
    if write.existing is None:
        yield from _new_set(write)
    else:
        yield from _changed_set(write, write.existing)


def _new_set(write: Write) -> Iterator[str]:
    id, name = write.resource.id, write.label(label_names.LABEL_CLUSTER)
    yield from _cluster(write, name)
    if name and not id.startswith(f"{name}-"):
        yield f"The id must begin with {name + '-'!r}."
    controls = label_names.LABEL_CONTROL_PLANE in write.resource.labels
    if any(role in write.resource.labels for role in _ROLES) and controls != (id == f"{name}-control-planes"):
        yield f"'{name}-control-planes' is the id of the control planes' set, and of no other."
    yield from _allocation(write, {})
    if controls and _bootstrapped(write, name):
        yield "The cluster has been bootstrapped; its control plane cannot be made again."
    yield from _bootstrap(write, controls)


def _changed_set(write: Write, existing: Resource) -> Iterator[str]:
    name = existing.labels.get(label_names.LABEL_CLUSTER, "")
    yield from _cluster(write, name, leaving=True)
    if write.label(label_names.LABEL_CLUSTER) != name:
        yield "A machine set stays in its cluster."
    before, after = _allocated(existing), _allocated(write.resource)
    if before != after:
        yield from _allocation(write, before)
        nodes = find_labelled(write.omni, types.MACHINE_SET_NODES, label_names.LABEL_MACHINE_SET, existing.id)
        if (before is None) != (after is None) and nodes:
            yield "A set that has nodes cannot start or stop taking its machines from a class."
    source = write.resource.spec.get("bootstrap_spec")
    if write.changes("bootstrap_spec") and (source is not None or not _bootstrapped(write, name)):
        yield "The backup that a control plane starts from cannot be changed."


def _cluster(write: Write, name: str, *, leaving: bool = False) -> Iterator[str]:
    """Yield the errors of the cluster that a part belongs to; with ``leaving`` it may be tearing down."""
    found = write.find(types.CLUSTERS, name)
    if found is None:
        yield f"There is no cluster {name!r}."
    elif found.tearing_down and not leaving:
        yield f"The cluster {name!r} is being removed."
    elif cluster_lock.takes_no_change(found):
        yield f"The cluster {name!r} is locked."


def _allocated(resource: Resource) -> Mapping[str, Any] | None:
    return resource.spec.get("machine_allocation") or resource.spec.get("machine_class") or None


def _allocation(write: Write, before: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the errors of a changed allocation.

    The machine class is looked up only if the allocation names another one than before.
    """
    wanted = _allocated(write.resource)
    if wanted is None:
        return
    name = wanted.get("name") or ""
    unlimited = wanted.get("allocation_type") == _UNLIMITED
    if not name:
        yield "An allocation names a machine class."
    if unlimited and wanted.get("machine_count"):
        yield "An unlimited allocation has no machine count."
    if before is None or (before.get("name") or "") == name:
        return
    found = write.find(types.MACHINE_CLASSES, name)
    if found is None and name:
        yield f"There is no machine class {name!r}."
    if unlimited and found is not None and found.spec.get("auto_provision"):
        yield "Machines that are provisioned cannot be taken without a limit."


def _bootstrapped(write: Write, cluster: str) -> bool:
    status = write.find(types.CLUSTER_BOOTSTRAP_STATUSES, cluster)
    return status is not None and bool(status.spec.get("bootstrapped"))


def _bootstrap(write: Write, controls: bool) -> Iterator[str]:
    wanted = write.resource.spec.get("bootstrap_spec")
    if wanted is None:
        return
    if not controls:
        yield "Only a control plane starts from a backup."
    uuid, snapshot = wanted.get("cluster_uuid") or "", wanted.get("snapshot") or ""
    uuids = resources_of(write.omni.resources.list(types.CLUSTER_UUIDS))
    if sum((known.spec.get("uuid") or "") == uuid for known in uuids) != 1:
        yield f"There is no cluster with the UUID {uuid!r}."
    elif not snapshot or snapshot.startswith("/") or ".." in snapshot.split("/") or len(snapshot) > _LONGEST_SNAPSHOT:
        yield "The snapshot must be a relative path."
    elif snapshot not in {
        backup.spec.get("snapshot")
        for backup in find_labelled(write.omni, types.ETCD_BACKUPS, label_names.LABEL_CLUSTER_UUID, uuid)
    }:
        yield f"That cluster has no snapshot {snapshot!r}."


def machine_set_node(write: Write) -> Iterator[str]:
    """Yield the errors of a machine set node, except those of its machine's Talos version, which the plugin checks."""
    labels = (write.existing or write.resource).labels
    yield from _cluster(write, labels.get(label_names.LABEL_CLUSTER, ""))
    found = write.find(types.MACHINE_SETS, labels.get(label_names.LABEL_MACHINE_SET, ""))
    if found is None:
        yield f"There is no machine set {labels.get(label_names.LABEL_MACHINE_SET, '')!r}."
        return
    if found.tearing_down:
        yield f"The machine set {found.id!r} is being removed."
    if write.existing is not None:
        for label in (label_names.LABEL_CLUSTER, label_names.LABEL_MACHINE_SET):
            if labels.get(label) != write.resource.labels.get(label):
                yield f"The label {label} cannot be changed: remove the node and add it again."
    elif _allocated(found) is not None and not _is_taken_back(write):
        yield f"The machine set {found.id!r} takes its machines from a class."
    if label_names.LABEL_CONTROL_PLANE in found.labels and label_names.ANNOTATION_LOCKED in write.resource.annotations:
        yield "A control plane's machine cannot be locked."


def _is_taken_back(write: Write) -> bool:
    """Return True if a node is created again while its controller is removing it."""
    member = write.find(types.CLUSTER_MACHINES, write.resource.id)
    return label_names.LABEL_ALLOCATED in write.resource.labels and member is not None and not member.tearing_down
