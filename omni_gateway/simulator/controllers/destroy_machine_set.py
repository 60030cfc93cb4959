"""Removal of a machine set: its nodes first, then objects labelled with it, then the set itself."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id, by_label
from omni_gateway.simulator.controllers.finalizers import MACHINE_SET, MACHINE_SET_ALLOCATED, MACHINE_SET_CONTROL_PLANE

_OF_SET = by_label(labels.MACHINE_SET)


class DestroyMachineSet(Controller):
    """Key: a machine set's id."""

    name = "MachineSetDestroyStatusController"
    inputs = {
        kinds.MACHINE_SET: by_id,
        kinds.MACHINE_SET_NODE: _OF_SET,
        kinds.CLUSTER_MACHINE: _OF_SET,
        kinds.CONFIG_PATCH: _OF_SET,
        kinds.EXTENSIONS_CONFIGURATION: _OF_SET,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Tear down the objects of the set, count those left, and release the set when there are none."""
        machine_set = ctx.find(kinds.MACHINE_SET, key)
        if machine_set is None or machine_set.phase == "running":
            ctx.destroy(kinds.MACHINE_SET_DESTROY_STATUS, key)
            return
        nodes = ctx.all(kinds.MACHINE_SET_NODE, machine_set=key)
        machines = ctx.all(kinds.CLUSTER_MACHINE, machine_set=key)
        left = len({res.id for res in (*nodes, *machines)})
        ctx.write(kinds.MACHINE_SET_DESTROY_STATUS, key, {"phase": f"{left} machines left to remove"})
        for node in nodes:
            ctx.teardown(node)
            if node.owner and not [name for name in node.finalizers if name != "MachineSetStatusController"]:
                ctx.destroy(kinds.MACHINE_SET_NODE, node.id, owner=node.owner)
        if nodes or machines:
            return
        for kind in (kinds.CONFIG_PATCH, kinds.EXTENSIONS_CONFIGURATION):
            for res in ctx.all(kind, machine_set=key):
                ctx.teardown(res)
        ctx.release(machine_set, *MACHINE_SET, *MACHINE_SET_CONTROL_PLANE, *MACHINE_SET_ALLOCATED)
