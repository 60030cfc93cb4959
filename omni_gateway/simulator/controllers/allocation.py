"""Allocation: picks machines of a class for the machine sets that ask for some."""

from __future__ import annotations

from collections.abc import Iterable

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id, by_label
from omni_gateway.simulator.controllers.machine_set_status import allocation_of
from omni_gateway.simulator.controllers.membership import role_of
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.rules.versions import misfit
from omni_gateway.simulator.selectors.label_selector import any_of
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

_UNLIMITED = 1
#: Labels that a machine must have before it is taken for a class.
_ASSIGNABLE = {labels.AVAILABLE, labels.READY_TO_USE, labels.REPORTING_EVENTS}


def allocating_sets(store: Store, _: Resource) -> Iterable[str]:
    """Map a change of the fleet to every set that allocates machines."""
    found = store.view(namespace_of(kinds.MACHINE_SET), kinds.MACHINE_SET)
    return [res.id for res in found if allocation_of(res)]


class Allocation(Controller):
    """Key: a machine set's id."""

    name = "MachineSetNodeController"
    inputs = {
        kinds.MACHINE_SET: by_id,
        kinds.MACHINE_SET_NODE: by_label(labels.MACHINE_SET),
        kinds.MACHINE_CLASS: allocating_sets,
        kinds.MACHINE_STATUS_LABELS: allocating_sets,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Take as many machines as the allocation asks for and the class has; release the surplus."""
        machine_set = ctx.running(kinds.MACHINE_SET, key)
        owned = [res for res in ctx.all(kinds.MACHINE_SET_NODE, machine_set=key) if res.owner == self.name]
        for node in owned:
            if node.phase != "running" and not node.finalizers:
                ctx.destroy(kinds.MACHINE_SET_NODE, node.id)
        if machine_set is None or not allocation_of(machine_set):
            return
        allocation = allocation_of(machine_set)
        alive = [res for res in owned if res.phase == "running"]
        if allocation.get("allocation_type") == _UNLIMITED:
            missing = 1_000_000
        else:
            missing = int(allocation.get("machine_count") or 0) - len(alive)
        if missing < 0:
            alive.sort(key=lambda res: (res.created.timestamp() if res.created else 0.0, res.id))
            for node in alive[missing:]:
                ctx.teardown(node)
        elif missing:
            for machine_id in self._available(ctx, machine_set, allocation["name"])[:missing]:
                self._take(ctx, machine_set, machine_id)

    def _available(self, ctx: Context, machine_set: Resource, class_name: str) -> list[str]:
        machine_class = ctx.running(kinds.MACHINE_CLASS, class_name)
        cluster = ctx.running(kinds.CLUSTER, machine_set.labels[labels.CLUSTER])
        if machine_class is None or cluster is None:
            return []
        talos = str(cluster.spec.get("talos_version", ""))
        matches = any_of(machine_class.spec.get("match_labels", []))
        if matches is None:
            return []
        return [
            res.id
            for res in ctx.all(kinds.MACHINE_STATUS_LABELS)
            if res.labels.keys() >= _ASSIGNABLE
            and labels.NO_MANUAL_ALLOCATION not in res.labels
            and matches(res.labels)
            and not misfit(res.labels, talos)
        ]

    def _take(self, ctx: Context, machine_set: Resource, machine_id: str) -> None:
        if ctx.find(kinds.MACHINE_SET_NODE, machine_id) is not None:
            return
        role = labels.ROLE_CONTROL_PLANE if role_of(machine_set) == 1 else labels.ROLE_WORKER
        own = {
            labels.CLUSTER: machine_set.labels[labels.CLUSTER],
            labels.MACHINE_SET: machine_set.id,
            labels.MANAGED_BY_NODE_CONTROLLER: "",
            role: "",
        }
        ctx.write(kinds.MACHINE_SET_NODE, machine_id, {}, own)
