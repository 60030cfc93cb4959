"""Machines as Omni sees them: every projection of a machine, and their end when its link is removed."""

from __future__ import annotations

from collections.abc import Iterable

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id
from omni_gateway.simulator.controllers.machine_views import view_of
from omni_gateway.simulator.kinds import namespace_of
from omni_gateway.simulator.machines import projections
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store


def cluster_members(store: Store, res: Resource) -> Iterable[str]:
    """Map a resource that belongs to a cluster to the ids of all the cluster's machines."""
    cluster = res.labels.get(labels.CLUSTER)
    found = store.view(namespace_of(kinds.CLUSTER_MACHINE), kinds.CLUSTER_MACHINE)
    return [member.id for member in found if cluster and member.labels.get(labels.CLUSTER) == cluster]


class Machines(Controller):
    """Key: a machine's id. Each projection is written in the name of the controller that it is from."""

    name = "MachineController"
    inputs = {
        kinds.LINK: by_id,
        kinds.EMULATED_MACHINE: by_id,
        kinds.MACHINE_LABELS: by_id,
        kinds.KERNEL_ARGS: by_id,
        kinds.MACHINE_INSTALL_DISK_CONFIG: by_id,
        kinds.CLUSTER_MACHINE: by_id,
        kinds.MACHINE_SET_NODE: by_id,
        kinds.CLUSTER_MACHINE_TALOS_VERSION: by_id,
        kinds.EXTENSIONS_CONFIGURATION: cluster_members,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Write the machine's projections, or remove them all when the link is gone or tears down."""
        view = view_of(ctx, key)
        for projection in projections.ALL:
            own = Context(ctx.store, projection.owner, ctx.speed)
            said = projection.build(view) if view is not None else None
            if said is None:
                own.destroy(projection.kind, key + projection.id_suffix)
                continue
            own.write(
                projection.kind,
                key + projection.id_suffix,
                said.spec,
                said.labels,
                annotations=said.annotations,
                finalizers=projection.finalizers,
            )
        if view is not None and view.link.spec.get("connected", False) != view.hardware.connected:
            self._follow_connection(ctx, key, view.hardware.connected)

    def _follow_connection(self, ctx: Context, key: str, connected: bool) -> None:
        def change(res: Resource) -> None:
            res.spec["connected"] = connected

        ctx.store.modify(namespace_of(kinds.LINK), kinds.LINK, key, change)
