"""Ongoing tasks: one entry for each upgrade, destroy or maintenance upgrade that is under way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context, Controller, KeyMap, Spec
from omni_gateway.simulator.controllers import kubernetes_upgrade, talos_upgrade
from omni_gateway.simulator.state.resource import Resource
from omni_gateway.simulator.state.store import Store

_SUFFIXES = {
    kinds.TALOS_UPGRADE_STATUS: "talos-update",
    kinds.KUBERNETES_UPGRADE_STATUS: "kubernetes-update",
    kinds.CLUSTER_DESTROY_STATUS: "destroy",
    kinds.CLUSTER_SECRETS_ROTATION_STATUS: "secret-rotation",
    kinds.MACHINE_UPGRADE_STATUS: "maintenance-upgrade",
}


def _key(_: Store, res: Resource) -> tuple[str, ...]:
    return (f"{res.type}/{res.id}",)


class OngoingTasks(Controller):
    """Key: the type and id of the status that the task follows."""

    name = "OngoingTaskController"
    inputs: ClassVar[Mapping[str, KeyMap]] = dict.fromkeys(_SUFFIXES, _key)

    def reconcile(self, ctx: Context, key: str) -> None:
        """Show the task while the status is in progress."""
        kind, _, id_ = key.partition("/")
        status = ctx.find(kind, id_)
        prefix = "machine-" if kind == kinds.MACHINE_UPGRADE_STATUS else ""
        task_id = f"{prefix}{id_}-{_SUFFIXES[kind]}"
        said = _task(status) if status is not None else None
        if said is None:
            ctx.destroy(kinds.ONGOING_TASK, task_id)
        else:
            title, details = said
            ctx.write(kinds.ONGOING_TASK, task_id, {"title": title, "resource_id": id_} | details)


def _task(status: Resource) -> tuple[str, Spec] | None:
    spec = status.spec
    if status.type == kinds.CLUSTER_DESTROY_STATUS:
        return f"Destroying cluster {status.id}", {"destroy": spec}
    if status.type == kinds.CLUSTER_SECRETS_ROTATION_STATUS and spec.get("phase"):
        return f"Rotating secrets of cluster {status.id}", {"secrets_rotation": spec}
    if status.type == kinds.TALOS_UPGRADE_STATUS and spec["phase"] != talos_upgrade.DONE:
        return f"Upgrading Talos of cluster {status.id}", {"talos_upgrade": spec}
    if status.type == kinds.KUBERNETES_UPGRADE_STATUS and spec["phase"] != kubernetes_upgrade.DONE:
        return f"Upgrading Kubernetes of cluster {status.id}", {"kubernetes_upgrade": spec}
    if status.type == kinds.MACHINE_UPGRADE_STATUS and spec.get("is_maintenance") and spec["phase"] == 2:
        return f"Upgrading machine {status.id}", {"machine_upgrade": spec}
    return None
