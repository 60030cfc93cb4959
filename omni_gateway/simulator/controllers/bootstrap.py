"""Bootstrap of etcd: done once by itself, on the first control plane that is up."""

from __future__ import annotations

from datetime import UTC, datetime

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id, by_label
from omni_gateway.simulator.controllers.membership import control_planes, hardware, role_of
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE
from omni_gateway.simulator.state.resource import Resource

ETCD_SECONDS = 1.0
"""From a control plane that is up to an etcd that is healthy."""

_CONDITION_ETCD, _CONDITION_WIREGUARD = 1, 2
_READY, _NOT_READY = 1, 2
_WARNING = 1


class Bootstrap(Controller):
    """Key: a cluster's id."""

    name = "ClusterBootstrapStatusController"
    inputs = {
        kinds.CLUSTER_BOOTSTRAP_STATUS: by_id,
        kinds.MACHINE_SET: by_label(labels.CLUSTER),
        kinds.CLUSTER_MACHINE_STATUS: by_label(labels.CLUSTER),
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Bootstrap when a control plane is up; forget it when the control plane's set is gone."""
        current = ctx.find(kinds.CLUSTER_BOOTSTRAP_STATUS, key)
        if current is None:
            return
        sets = [res for res in ctx.all(kinds.MACHINE_SET, cluster=key) if role_of(res) == CONTROL_PLANE]
        done = bool(current.spec.get("bootstrapped")) and bool(sets)
        if not done and any(res.phase == "running" for res in sets):
            done = self._first_is_up(ctx, key)
        ctx.write(kinds.CLUSTER_BOOTSTRAP_STATUS, key, {"bootstrapped": done})

    def _first_is_up(self, ctx: Context, cluster: str) -> bool:
        for res in control_planes(ctx, cluster):
            hw = hardware(ctx, res.id)
            if hw is not None and hw.idle and hw.cluster == cluster:
                return ctx.passed(datetime.fromtimestamp(hw.since, UTC), ETCD_SECONDS)
        return False


class ControlPlane(Controller):
    """Key: a control plane machine set's id. Writes the conditions of its etcd and its connections."""

    name = "ControlPlaneStatusController"
    inputs = {
        kinds.MACHINE_SET: by_id,
        kinds.CLUSTER_MACHINE_STATUS: by_label(labels.MACHINE_SET),
        kinds.CLUSTER_BOOTSTRAP_STATUS: lambda _, res: (f"{res.id}-control-planes",),
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Write the conditions once the cluster is bootstrapped; there are none before."""
        machine_set = ctx.running(kinds.MACHINE_SET, key)
        if machine_set is None:
            ctx.destroy(kinds.CONTROL_PLANE_STATUS, key)
            return
        cluster = machine_set.labels.get(labels.CLUSTER, "")
        bootstrap = ctx.find(kinds.CLUSTER_BOOTSTRAP_STATUS, cluster)
        if role_of(machine_set) != CONTROL_PLANE or bootstrap is None or not bootstrap.spec.get("bootstrapped"):
            return
        members = ctx.all(kinds.CLUSTER_MACHINE_STATUS, machine_set=key)
        ready = [res for res in members if res.spec.get("ready")]
        connected = all(labels.CONNECTED in res.labels for res in members)
        conditions = [
            _condition(_CONDITION_WIREGUARD, connected, "not every control plane is connected"),
            _condition(_CONDITION_ETCD, _quorum(ready, members), "etcd has no quorum"),
        ]
        ctx.write(kinds.CONTROL_PLANE_STATUS, key, {"conditions": conditions}, {labels.CLUSTER: cluster})


def _quorum(ready: list[Resource], members: list[Resource]) -> bool:
    return len(ready) > len(members) // 2


def _condition(kind: int, good: bool, reason: str) -> dict[str, int | str]:
    if good:
        return {"type": kind, "status": _READY}
    return {"type": kind, "status": _NOT_READY, "severity": _WARNING, "reason": reason}
