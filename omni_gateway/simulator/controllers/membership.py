"""Queries that several controllers share: roles, labels and members of clusters and machine sets."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE, WORKER, Hardware
from omni_gateway.simulator.machines.projections.view import Membership
from omni_gateway.simulator.state.resource import Resource


def role_of(res: Resource) -> int:
    """Return the role that a resource's labels name; both labels together mean control plane."""
    return CONTROL_PLANE if labels.ROLE_CONTROL_PLANE in res.labels else WORKER


def member_labels(cluster_machine: Resource) -> dict[str, str]:
    """Return the labels that everything about a cluster's machine carries."""
    wanted = (labels.CLUSTER, labels.MACHINE_SET, labels.ROLE_CONTROL_PLANE, labels.ROLE_WORKER)
    return {key: cluster_machine.labels[key] for key in wanted if key in cluster_machine.labels}


def membership(cluster_machine: Resource) -> Membership:
    """Return the place in a cluster that a ClusterMachine stands for."""
    found = cluster_machine.labels
    return Membership(found[labels.CLUSTER], found[labels.MACHINE_SET], role_of(cluster_machine))


def membership_of_node(node: Resource) -> Membership | None:
    """Return the place in a cluster that a MachineSetNode's labels name; None where one of the three is missing.

    Omni's MachineStatusController fails on such a node, so its machine is never shown as one of the set.
    """
    cluster, machine_set = node.labels.get(labels.CLUSTER), node.labels.get(labels.MACHINE_SET)
    has_role = labels.ROLE_CONTROL_PLANE in node.labels or labels.ROLE_WORKER in node.labels
    return Membership(cluster, machine_set, role_of(node)) if cluster and machine_set and has_role else None


def hardware(ctx: Context, machine_id: str) -> Hardware | None:
    """Return an emulated machine, or None."""
    res = ctx.find(kinds.EMULATED_MACHINE, machine_id)
    return None if res is None else Hardware.of(res)


def control_planes(ctx: Context, cluster: str) -> list[Resource]:
    """List the ClusterMachines of a cluster's control plane that stay."""
    found = ctx.all(kinds.CLUSTER_MACHINE, cluster=cluster)
    return [res for res in found if role_of(res) == CONTROL_PLANE and res.phase == "running"]


def version_key(version: str) -> tuple[int, ...]:
    """Return a key that sorts versions like 1.9.5 and 1.10.0 as versions."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("-")[0].split("."))


def minor(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return version_key(version)[:2]
