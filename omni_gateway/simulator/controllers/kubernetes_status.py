"""KubernetesStatus: kubelet versions and static pods of a cluster, once its API answers."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id, by_label
from omni_gateway.simulator.controllers.membership import hardware
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE, STAGE_RUNNING, Hardware

_OWNED = (
    (kinds.KUBERNETES_STATUS, "KubernetesStatusController"),
    (kinds.KUBERNETES_UPGRADE_MANIFEST_STATUS, "KubernetesUpgradeManifestStatusController"),
    (kinds.CLUSTER_SECRETS_ROTATION_STATUS, "SecretRotationStatusController"),
    (kinds.KUBERNETES_NODE_AUDIT_RESULT, "KubernetesNodeAuditController"),
)


class KubernetesStatus(Controller):
    """Key: a cluster's id."""

    name = "KubernetesStatusController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.CLUSTER_STATUS: by_id,
        kinds.LOAD_BALANCER_STATUS: by_id,
        kinds.CLUSTER_MACHINE_STATUS: by_label(labels.CLUSTER),
        kinds.EMULATED_MACHINE: lambda _, res: (res.spec["cluster"],) if res.spec["cluster"] else (),
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Write the status; it is created when the API is healthy for the first time."""
        cluster = ctx.find(kinds.CLUSTER, key)
        members = ctx.all(kinds.CLUSTER_MACHINE, cluster=key)
        if cluster is None or (cluster.phase != "running" and not members):
            for kind, owner in _OWNED:
                ctx.destroy(kind, key, owner=owner)
            return
        balancer = ctx.find(kinds.LOAD_BALANCER_STATUS, key)
        if balancer is None or not balancer.spec.get("healthy"):
            return
        joined = [hw for hw in (hardware(ctx, res.id) for res in members) if hw is not None and hw.cluster]
        joined.sort(key=lambda hw: hw.hostname)
        planes = [hw for hw in joined if hw.role == CONTROL_PLANE]
        spec = {"nodes": [_node(hw) for hw in joined], "static_pods": [_static_pods(hw) for hw in planes]}
        ctx.write(kinds.KUBERNETES_STATUS, key, spec, {labels.CLUSTER: key})
        for kind, owner in _OWNED[1:]:
            if ctx.find(kind, key) is None:
                Context(ctx.store, owner).write(kind, key, {})


def _up(hw: Hardware) -> bool:
    return hw.connected and hw.stage == STAGE_RUNNING


def _node(hw: Hardware) -> Spec:
    return {"nodename": hw.hostname, "kubelet_version": hw.components.get("kubelet", ""), "ready": _up(hw)}


def _static_pods(hw: Hardware) -> Spec:
    pods = [
        {"app": app, "version": version, "ready": _up(hw) and hw.step != "apply"}
        for app, version in hw.components.items()
        if app != "kubelet"
    ]
    return {"nodename": hw.hostname, "static_pods": pods}
