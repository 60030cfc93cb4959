"""Finalizers: adds those of every controller that has to clean up after an object.

They come one by one, each a version of its own: that is why a new cluster goes from version 1 to 14 by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context, Controller, KeyMap
from omni_gateway.simulator.controllers.link_cleanup import FINALIZERS as LINK_FINALIZERS
from omni_gateway.simulator.controllers.membership import role_of
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

CLUSTER = (
    "BackupDataController",
    "ClusterEndpointController",
    "ClusterStatusController",
    "KubernetesUpgradeStatusController",
    "ClusterUUIDController",
    "ClusterController",
    "SecretsController",
    "ClusterWorkloadProxyController",
    "TalosUpgradeStatusController",
    "ClusterConfigVersionController",
    "ClusterKubernetesManifestsStatusController",
    "ClusterDestroyStatusController",
    "ClusterWorkloadProxyStatusController",
)
CLUSTER_LAST = (
    "ClusterController",
    "ClusterUUIDController",
    "ClusterStatusController",
    "ClusterDestroyStatusController",
)
"""Those that stay until everything below the cluster is gone."""

MACHINE_SET = (
    "MachineSetController",
    "MachineSetStatusController",
    "MachineSetDestroyStatusController",
    "MachineProvisionController",
    "ControlPlaneStatusController",
)
MACHINE_SET_CONTROL_PLANE = ("ClusterBootstrapStatusController", "MachineSetEtcdAuditController")
MACHINE_SET_ALLOCATED = ("MachineSetNodeController",)
MACHINE_SET_NODE = ("MachineSetStatusController",)
EXTENSIONS_CONFIGURATION = ("MachineExtensionsController",)


def machine_set_finalizers(res: Resource) -> tuple[str, ...]:
    """Return the finalizers that a machine set of this role and mode carries."""
    found: tuple[str, ...] = MACHINE_SET
    if role_of(res) == CONTROL_PLANE:
        found += MACHINE_SET_CONTROL_PLANE
    if res.spec.get("machine_allocation") or res.spec.get("machine_class"):
        found += MACHINE_SET_ALLOCATED
    return found


def _wanted(res: Resource) -> Sequence[str]:
    if res.type == kinds.MACHINE_SET:
        return machine_set_finalizers(res)
    return {
        kinds.CLUSTER: CLUSTER,
        kinds.MACHINE_SET_NODE: MACHINE_SET_NODE,
        kinds.EXTENSIONS_CONFIGURATION: EXTENSIONS_CONFIGURATION,
        kinds.LINK: LINK_FINALIZERS,
    }[res.type]


def type_and_id(_: Store, res: Resource) -> tuple[str, ...]:
    """Map a resource to `type/id`: for controllers of more than one type."""
    return (f"{res.type}/{res.id}",)


_HELD = (
    kinds.CLUSTER,
    kinds.MACHINE_SET,
    kinds.MACHINE_SET_NODE,
    kinds.EXTENSIONS_CONFIGURATION,
    kinds.LINK,
)


class Finalizers(Controller):
    """Key: type and id. Also puts back finalizers that an update left out."""

    name = "FinalizersController"
    inputs: ClassVar[Mapping[str, KeyMap]] = dict.fromkeys(_HELD, type_and_id)

    def reconcile(self, ctx: Context, key: str) -> None:
        """Add the finalizers that a running object lacks; release an extensions configuration that tears down."""
        kind, _, id_ = key.partition("/")
        res = ctx.find(kind, id_)
        if res is None:
            return
        if res.phase != "running":
            if kind == kinds.EXTENSIONS_CONFIGURATION:
                ctx.release(res, *EXTENSIONS_CONFIGURATION)
            return
        for name in _wanted(res):
            if name not in res.finalizers:
                ctx.store.add_finalizer(res.key, name)
