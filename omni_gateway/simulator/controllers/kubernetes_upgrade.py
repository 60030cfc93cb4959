"""Kubernetes upgrades: images first, then component by component, node by node, each step a config patch.

Everything is read off the machines: the next step is the first component that does not run the wanted version. So an
upgrade goes on after a restart, and reverts when the old version is written back.
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id, by_label
from omni_gateway.simulator.controllers.image_pull import images_are_pulled
from omni_gateway.simulator.controllers.membership import hardware
from omni_gateway.simulator.controllers.rollout import locked
from omni_gateway.simulator.controllers.versions import kubernetes_candidates
from omni_gateway.simulator.machineconfig import render
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE, Hardware
from omni_gateway.simulator.state.resource import Resource

UPGRADING, DONE, FAILED, REVERTING = 1, 2, 3, 4
#: Until then the status has no running version, and no upgrade may begin.
LEARNS_SECONDS = 1.0


@dataclass(frozen=True)
class _Target:
    machine_id: str
    hardware: Hardware
    component: str


class KubernetesUpgrade(Controller):
    """Key: a cluster's id."""

    name = "KubernetesUpgradeStatusController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.CLUSTER_STATUS: by_id,
        kinds.KUBERNETES_STATUS: by_id,
        kinds.IMAGE_PULL_STATUS: by_id,
        kinds.CLUSTER_MACHINE_STATUS: by_label(labels.CLUSTER),
        kinds.MACHINE_SET_NODE: by_label(labels.CLUSTER),
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Write the upgrade's status, and take its next step when the cluster is calm."""
        cluster = ctx.running(kinds.CLUSTER, key)
        seen = ctx.find(kinds.KUBERNETES_STATUS, key)
        if cluster is None:
            return self._remove(ctx, key)
        if seen is None:
            return None
        current = ctx.find(kinds.KUBERNETES_UPGRADE_STATUS, key)
        last = (current.spec.get("last_upgrade_version") if current else "") or _running_version(seen)
        if labels.CLUSTER_LOCKED in cluster.annotations:
            return None
        wanted = cluster.spec["kubernetes_version"]
        todo = _todo(ctx, key, wanted)
        if current is None:
            # The status begins as an upgrade to the running version, which it does not know yet.
            begun = {"phase": UPGRADING, "current_upgrade_version": wanted}
            ctx.write(kinds.KUBERNETES_UPGRADE_STATUS, key, begun, {labels.CLUSTER: key})
            ctx.after(LEARNS_SECONDS)
            return None
        if not current.spec.get("last_upgrade_version") and not ctx.passed(current.created, LEARNS_SECONDS):
            return None
        if not todo:
            spec: Spec = {"phase": DONE, "last_upgrade_version": wanted} | self._at_rest(ctx, cluster, seen)
        else:
            going_back = wanted == last
            spec = {
                "phase": REVERTING if going_back else UPGRADING,
                "last_upgrade_version": last,
                "current_upgrade_version": wanted,
            } | self._step(ctx, cluster, wanted, todo)
        ctx.write(kinds.KUBERNETES_UPGRADE_STATUS, key, spec, {labels.CLUSTER: key})
        return None

    def _remove(self, ctx: Context, key: str) -> None:
        # The status of a request is not its own: a request that a user made, of no cluster, has one too.
        for kind in (kinds.KUBERNETES_UPGRADE_STATUS, kinds.IMAGE_PULL_REQUEST):
            ctx.destroy(kind, key)
        if ctx.find(kinds.CLUSTER, key) is None:
            for patch in ctx.all(kinds.CONFIG_PATCH, cluster=key):
                ctx.destroy(kinds.CONFIG_PATCH, patch.id)

    def _at_rest(self, ctx: Context, cluster: Resource, seen: Resource) -> Spec:
        versions = kubernetes_candidates(ctx, cluster.spec["talos_version"], cluster.spec["kubernetes_version"])
        unready = [
            f"{pod['app']} on {node['nodename']}"
            for node in seen.spec.get("static_pods", [])
            for pod in node["static_pods"]
            if not pod["ready"]
        ]
        return {"upgrade_versions": versions, "status": f"not ready: {', '.join(unready)}" if unready else ""}

    def _step(self, ctx: Context, cluster: Resource, wanted: str, todo: list[_Target]) -> Spec:
        if not images_are_pulled(ctx, cluster.id, wanted):
            pulled = ctx.find(kinds.IMAGE_PULL_STATUS, cluster.id)
            done = pulled.spec if pulled else {}
            counts = f"{done.get('processed_count', 0)} of {done.get('total_count', 0)} images are pulled"
            return {"step": f"pulling {done.get('last_processed_image') or 'images'}", "status": counts}
        status = ctx.find(kinds.CLUSTER_STATUS, cluster.id)
        free = [target for target in todo if not locked(ctx, target.machine_id)]
        if not free:
            return {"step": "waiting", "status": "waiting for locked machines to be unlocked"}
        target = free[0]
        step = f"{target.hardware.hostname}: {target.component} to {wanted}"
        if status is None or not status.spec.get("ready"):
            return {"step": step, "status": "waiting for the cluster to be ready"}
        self._patch(ctx, cluster.id, target, wanted)
        return {"step": step, "status": f"waiting for {target.component} to restart"}

    def _patch(self, ctx: Context, cluster: str, target: _Target, wanted: str) -> None:
        """Pin the component of this step, and those that run the wanted version already, to it."""
        pinned = {name: version for name, version in target.hardware.components.items() if version == wanted}
        data = yaml.dump(render.component_patch(pinned | {target.component: wanted}), sort_keys=False)
        own = {labels.CLUSTER: cluster, labels.CLUSTER_MACHINE: target.machine_id, labels.SYSTEM_PATCH: ""}
        ctx.write(kinds.CONFIG_PATCH, f"900-cm-{target.machine_id}-kubernetes-upgrade", {"data": data}, own)


def _running_version(seen: Resource) -> str:
    nodes = seen.spec.get("nodes", [])
    return str(nodes[0]["kubelet_version"]) if nodes else ""


def _todo(ctx: Context, cluster: str, wanted: str) -> list[_Target]:
    """List the components that do not run the wanted version, in the order of an upgrade.

    One component after the other, the kubelets last; each on all machines, in the order of their nodes' names.
    """
    order = render.components_of_role(CONTROL_PLANE)
    found: list[tuple[int, str, _Target]] = []
    for member in ctx.all(kinds.CLUSTER_MACHINE, cluster=cluster):
        hw = hardware(ctx, member.id)
        if hw is None or not hw.cluster or member.phase != "running":
            continue
        for component in render.components_of_role(hw.role):
            if hw.components.get(component) != wanted:
                found.append((order.index(component), hw.hostname, _Target(member.id, hw, component)))
    return [target for *_, target in sorted(found, key=lambda item: item[:2])]
