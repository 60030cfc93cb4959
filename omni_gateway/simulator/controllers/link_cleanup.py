"""Removal of a machine: once its link is torn down, the objects that belong to it go."""

from __future__ import annotations

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id
from omni_gateway.simulator.machines import projections

FINALIZERS = (
    "MachineStatusLinkController",
    "MaintenanceConfigStatusController",
    "LinkStatusController[Links.omni.sidero.dev]",
    "LinkCleanupController",
    "MachineController",
)

_CASCADE = (
    kinds.MACHINE_SET_NODE,
    kinds.INFRA_MACHINE_CONFIG,
    kinds.INFRA_MACHINE_BMC_CONFIG,
    kinds.KERNEL_ARGS,
    kinds.MACHINE_INSTALL_DISK_CONFIG,
    kinds.MACHINE_LABELS,
)
_WAITS_FOR = (kinds.MACHINE_SET_NODE, kinds.CLUSTER_MACHINE)


class LinkCleanup(Controller):
    """Key: a machine's id."""

    name = "LinkCleanupController"
    inputs = dict.fromkeys((kinds.LINK, *_CASCADE, kinds.CLUSTER_MACHINE, kinds.MACHINE_STATUS), by_id)

    def reconcile(self, ctx: Context, key: str) -> None:
        """Tear down the objects of the machine, wait until it has left its cluster, then release the link."""
        link = ctx.find(kinds.LINK, key)
        if link is None or link.phase == "running":
            return
        for kind in _CASCADE:
            res = ctx.find(kind, key)
            if res is not None:
                ctx.teardown(res)
        if any(ctx.find(kind, key) for kind in _WAITS_FOR):
            return
        if any(ctx.find(projection.kind, key + projection.id_suffix) for projection in projections.ALL):
            return
        for kind in (kinds.EMULATED_MACHINE, kinds.EMULATED_LOG, kinds.NODE_UNIQUE_TOKEN):
            ctx.destroy(kind, key, owner="")
        ctx.release(link, *FINALIZERS)
