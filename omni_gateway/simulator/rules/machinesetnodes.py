"""Rules of MachineSetNodes: a machine's place in a set."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator import labels
from omni_gateway.simulator.rules import locks
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.machinesets import TYPE as MACHINE_SET
from omni_gateway.simulator.rules.machinesets import allocation, is_control_plane
from omni_gateway.simulator.rules.versions import is_semver, misfit
from omni_gateway.simulator.state.resource import Resource

TYPE = "MachineSetNodes.omni.sidero.dev"
_CLUSTER_MACHINE = "ClusterMachines.omni.sidero.dev"
_MACHINE_STATUS = "MachineStatuses.omni.sidero.dev"


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check set and cluster; whether there is such a machine is not looked at, nor whether the two belong together."""
    cluster_name, set_name = new.labels.get(labels.CLUSTER, ""), new.labels.get(labels.MACHINE_SET, "")
    cluster = ctx.find(locks.CLUSTER, cluster_name)
    machine_set = ctx.find(MACHINE_SET, set_name)
    yield from _there("cluster", labels.CLUSTER, cluster_name, cluster)
    yield from _there("machine set", labels.MACHINE_SET, set_name, machine_set)
    yield from locks.against_change(cluster)
    if machine_set is not None:
        yield from _manual(ctx, new, machine_set)
        yield from _unlocked_control_plane(new, machine_set)
    if cluster is not None:
        yield from _talos(ctx, new.id, cluster)


def update(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Check that set and cluster stay, and the locks; a node never moves."""
    cluster_name, set_name = old.labels.get(labels.CLUSTER, ""), old.labels.get(labels.MACHINE_SET, "")
    cluster = ctx.find(locks.CLUSTER, cluster_name)
    yield from _there("cluster", labels.CLUSTER, cluster_name, cluster)
    yield from _there("machine set", labels.MACHINE_SET, set_name, ctx.find(MACHINE_SET, set_name))
    yield from locks.against_change(cluster)
    for label in (labels.CLUSTER, labels.MACHINE_SET):
        if old.labels.get(label) != new.labels.get(label):
            yield f"the label {label} cannot be changed: remove the node and add it again"
    machine_set = ctx.find(MACHINE_SET, new.labels.get(labels.MACHINE_SET, ""))
    if machine_set is not None:
        yield from _unlocked_control_plane(new, machine_set)


def destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    """A locked node stays as long as its set and cluster do."""
    cluster = ctx.find(locks.CLUSTER, old.labels.get(labels.CLUSTER, ""))
    machine_set = ctx.find(MACHINE_SET, old.labels.get(labels.MACHINE_SET, ""))
    if not (_stays(cluster) and _stays(machine_set)):
        return
    yield from locks.against_removal_of_parts(cluster)
    if labels.LOCKED in old.annotations:
        yield f"the machine {old.id!r} is locked"


RULES = Rules(TYPE, create, update, destroy)


def _stays(res: Resource | None) -> bool:
    return res is not None and res.phase == "running"


def _there(what: str, label: str, name: str, found: Resource | None) -> Iterator[str]:
    if not name:
        yield f"the label {label} is missing"
    elif found is None:
        yield f"there is no {what} {name!r}"
    elif found.phase != "running":
        yield f"the {what} {name!r} is being removed"


def _manual(ctx: RuleContext, new: Resource, machine_set: Resource) -> Iterator[str]:
    if allocation(machine_set) is None:
        return
    # A removal is taken back by making the node again, with the label that its controller gave it.
    member = ctx.find(_CLUSTER_MACHINE, new.id)
    taken_back = labels.MANAGED_BY_NODE_CONTROLLER in new.labels and member is not None and member.phase == "running"
    if not taken_back:
        yield f"the machine set {machine_set.id!r} takes its machines from a class"


def _unlocked_control_plane(new: Resource, machine_set: Resource) -> Iterator[str]:
    if labels.LOCKED in new.annotations and is_control_plane(machine_set):
        yield "a control plane's machine cannot be locked"


def _talos(ctx: RuleContext, machine: str, cluster: Resource) -> Iterator[str]:
    status = ctx.find(_MACHINE_STATUS, machine)
    if status is None or not is_semver(str(status.spec.get("talos_version", "")).removeprefix("v")):
        return
    if (status.spec.get("schematic") or {}).get("in_agent_mode"):
        return  # an infra provider installs it
    if problem := misfit(status.labels, str(cluster.spec.get("talos_version", ""))):
        yield problem
