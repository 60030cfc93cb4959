"""Membership: creates a ClusterMachine for each node of a machine set, and removes it with the node."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id, by_label
from omni_gateway.simulator.controllers.membership import role_of
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

FINALIZERS = (
    "ClusterMachineConfigController",
    "ClusterMachineTeardownController",
    "ClusterMachineController",
    "ClusterMachineConfigPatchesController",
    "ClusterMachineStatusController",
    "ClusterMachineEncryptionKeyController",
)
_OF_SET = by_label(labels.MACHINE_SET)


def set_of_machine(store: Store, res: Resource) -> tuple[str, ...]:
    """Map a machine's resource to the machine set that has a node for it, if one has."""
    node = store.peek("default", kinds.MACHINE_SET_NODE, res.id)
    value = node.labels.get(labels.MACHINE_SET, "") if node else ""
    return (value,) if value else ()


def set_of_member(store: Store, res: Resource) -> tuple[str, ...]:
    """Map a machine's resource to the machine set that it is in, if it is in one."""
    member = store.peek("default", kinds.CLUSTER_MACHINE, res.id)
    value = member.labels.get(labels.MACHINE_SET, "") if member else ""
    return (value,) if value else ()


class MachineSetNodes(Controller):
    """Key: a machine set's id."""

    name = "MachineSetStatusController"
    inputs = {
        kinds.MACHINE_SET: by_id,
        kinds.MACHINE_SET_NODE: _OF_SET,
        kinds.CLUSTER_MACHINE: _OF_SET,
        kinds.MACHINE_STATUS_LABELS: _OF_SET,
        kinds.MACHINE: set_of_machine,
        kinds.LINK: set_of_member,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Add the machines that have a node, release the nodes that tear down, then remove surplus machines.

        A machine whose link is removed is lost to the cluster whatever becomes of its etcd.
        """
        machine_set = ctx.find(kinds.MACHINE_SET, key)
        nodes = ctx.all(kinds.MACHINE_SET_NODE, machine_set=key)
        wanted = {res.id for res in nodes if res.phase == "running"}
        if machine_set is not None and machine_set.phase == "running":
            for node in nodes:
                if node.phase == "running":
                    self._add(ctx, machine_set, node)
        else:
            wanted = set()
        for node in nodes:
            if node.phase != "running":
                ctx.release(node, "MachineSetStatusController")
        self._remove(ctx, machine_set, key, wanted)

    def _add(self, ctx: Context, machine_set: Resource, node: Resource) -> None:
        cluster = ctx.running(kinds.CLUSTER, machine_set.labels.get(labels.CLUSTER, ""))
        known = ctx.running(kinds.MACHINE, node.id) and ctx.running(kinds.LINK, node.id)
        # A machine is taken once its status shows the set, which it copies from the node's labels, role included.
        shown = ctx.find(kinds.MACHINE_STATUS_LABELS, node.id)
        in_set = shown is not None and shown.labels.get(labels.MACHINE_SET) == machine_set.id
        if cluster is None or not known or not in_set or ctx.find(kinds.CLUSTER_MACHINE, node.id):
            return
        role = labels.ROLE_CONTROL_PLANE if role_of(machine_set) == CONTROL_PLANE else labels.ROLE_WORKER
        ctx.write(
            kinds.CLUSTER_MACHINE,
            node.id,
            {"kubernetes_version": cluster.spec.get("kubernetes_version", "")},
            {labels.CLUSTER: cluster.id, labels.MACHINE_SET: machine_set.id, role: ""},
            finalizers=FINALIZERS,
        )

    def _remove(self, ctx: Context, machine_set: Resource | None, key: str, wanted: set[str]) -> None:
        members = ctx.all(kinds.CLUSTER_MACHINE, machine_set=key)
        surplus = [res for res in members if res.id not in wanted and res.phase == "running"]
        lost = [res for res in surplus if ctx.running(kinds.LINK, res.id) is None]
        for res in lost or surplus[: self._may_go(machine_set, members, surplus)]:
            ctx.teardown(res)

    def _may_go(self, machine_set: Resource | None, members: list[Resource], surplus: list[Resource]) -> int:
        """Return how many machines may leave now.

        All at once when the whole set goes, and workers always; a control plane that stays gives up one member at a
        time, for etcd's sake, and never its last.
        """
        if machine_set is None or machine_set.phase != "running" or role_of(machine_set) != CONTROL_PLANE:
            return len(surplus)
        leaving = len([res for res in members if res.phase != "running"])
        return 0 if leaving or len(members) < 2 else 1
