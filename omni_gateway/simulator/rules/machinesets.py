"""Rules of MachineSets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omni_gateway.simulator import labels
from omni_gateway.simulator.rules import locks
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.state.resource import Resource

TYPE = "MachineSets.omni.sidero.dev"
MACHINE_CLASS = "MachineClasses.omni.sidero.dev"
_NODE = "MachineSetNodes.omni.sidero.dev"
_BOOTSTRAP = "ClusterBootstrapStatuses.omni.sidero.dev"
_CLUSTER_UUID = "ClusterUUIDs.omni.sidero.dev"
_BACKUP = "EtcdBackups.omni.sidero.dev"
_UNLIMITED = 1
_LONGEST_PATH = 4096


def is_control_plane(machine_set: Resource) -> bool:
    """Return whether a set is a control plane; one with both role labels is."""
    return labels.ROLE_CONTROL_PLANE in machine_set.labels


def allocation(machine_set: Resource) -> dict[str, Any] | None:
    """Return how a set takes machines of a class, or None when its nodes are chosen one by one."""
    return machine_set.spec.get("machine_allocation") or machine_set.spec.get("machine_class") or None


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check cluster, role, name, allocation and the backup to bootstrap from."""
    name = new.labels.get(labels.CLUSTER, "")
    cluster = ctx.find(locks.CLUSTER, name) if name else None
    if not name:
        yield f"the label {labels.CLUSTER} is missing"
    elif cluster is None:
        yield f"there is no cluster {name!r}"
    elif cluster.phase != "running":
        yield f"the cluster {name!r} is being removed"
    yield from locks.against_change(cluster)
    yield from _role_and_name(new, name)
    yield from _allocation(ctx, new, {})
    if is_control_plane(new) and _bootstrapped(ctx, name):
        yield f"the cluster {name!r} has been bootstrapped: its control plane cannot be made again"
    yield from _bootstrap_from(ctx, new)


def update(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Check the lock and the immutable fields."""
    name = old.labels.get(labels.CLUSTER, "")
    cluster = ctx.find(locks.CLUSTER, name)
    if cluster is None:
        yield f"there is no cluster {name!r}"
    yield from locks.against_change(cluster)
    if new.labels.get(labels.CLUSTER) != old.labels.get(labels.CLUSTER):
        yield "a machine set stays with its cluster"
    if not _has_role(new):
        yield "a role label is missing"
    if allocation(new) != allocation(old):
        yield from _allocation(ctx, new, allocation(old))
        if (allocation(new) is None) is not (allocation(old) is None) and _has_nodes(ctx, old.id):
            yield "a set that has nodes cannot go from manual to automatic allocation or back"
    before, after = old.spec.get("bootstrap_spec"), new.spec.get("bootstrap_spec")
    if before != after and (after is not None or not _bootstrapped(ctx, name)):
        yield "what a control plane was bootstrapped from cannot be changed"


def destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    """The sets of a locked cluster stay."""
    yield from locks.against_removal_of_parts(ctx.find(locks.CLUSTER, old.labels.get(labels.CLUSTER, "")))


RULES = Rules(TYPE, create, update, destroy)


def _has_role(res: Resource) -> bool:
    return labels.ROLE_CONTROL_PLANE in res.labels or labels.ROLE_WORKER in res.labels


def _role_and_name(new: Resource, cluster: str) -> Iterator[str]:
    if not _has_role(new):
        yield "a role label is missing"
    if cluster and not new.id.startswith(f"{cluster}-"):
        yield f"the id must begin with {cluster + '-'!r}"
    if _has_role(new) and is_control_plane(new) is not (new.id == f"{cluster}-control-planes"):
        yield f"{cluster}-control-planes is the id of the control planes' set, and of no other"


def _allocation(ctx: RuleContext, new: Resource, old: dict[str, Any] | None) -> Iterator[str]:
    """Check an allocation; its class only when another one is named, nor for a set that had none before."""
    wanted = allocation(new)
    if wanted is None:
        return
    if not wanted.get("name"):
        yield "an allocation needs the name of a machine class"
    if wanted.get("machine_count") and wanted.get("allocation_type") == _UNLIMITED:
        yield "an unlimited allocation has no machine count"
    if old is None or old.get("name") == wanted.get("name"):
        return
    found = ctx.find(MACHINE_CLASS, wanted.get("name", ""))
    if found is None and wanted.get("name"):
        yield f"there is no machine class {wanted['name']!r}"
    if wanted.get("allocation_type") != _UNLIMITED:
        return
    if found is not None and found.spec.get("auto_provision"):
        yield "machines that are provisioned cannot be allocated without a limit"


def _bootstrapped(ctx: RuleContext, cluster: str) -> bool:
    status = ctx.find(_BOOTSTRAP, cluster)
    return status is not None and bool(status.spec.get("bootstrapped"))


def _has_nodes(ctx: RuleContext, machine_set: str) -> bool:
    return any(node.labels.get(labels.MACHINE_SET) == machine_set for node in ctx.all(_NODE))


def _bootstrap_from(ctx: RuleContext, new: Resource) -> Iterator[str]:
    wanted = new.spec.get("bootstrap_spec")
    if wanted is None:
        return
    if not is_control_plane(new):
        yield "only a control plane is bootstrapped from a backup"
    uuid, snapshot = wanted.get("cluster_uuid", ""), wanted.get("snapshot", "")
    if sum(known.spec.get("uuid") == uuid for known in ctx.all(_CLUSTER_UUID)) != 1:
        yield f"there is no cluster with the UUID {uuid!r}"
    if not snapshot or snapshot.startswith("/") or ".." in snapshot.split("/") or len(snapshot) > _LONGEST_PATH:
        yield "the snapshot must be a relative path without .."
    elif not any(_is_backup(res, uuid, snapshot) for res in ctx.all(_BACKUP, "external")):
        yield f"there is no snapshot {snapshot!r} of that cluster"


def _is_backup(backup: Resource, uuid: str, snapshot: str) -> bool:
    return backup.labels.get(labels.CLUSTER_UUID) == uuid and backup.spec.get("snapshot") == snapshot
