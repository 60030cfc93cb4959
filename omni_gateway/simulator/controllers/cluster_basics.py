"""The first resources of every cluster: its UUID, the Talos version it began with, and empty statuses."""

from __future__ import annotations

import uuid

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id


class ClusterBasics(Controller):
    """Key: a cluster's id."""

    name = "ClusterController"
    inputs = {kinds.CLUSTER: by_id}

    def reconcile(self, ctx: Context, key: str) -> None:
        """Create the missing ones; they are not changed later."""
        cluster = ctx.running(kinds.CLUSTER, key)
        if cluster is None:
            return
        _once(ctx, "ClusterConfigVersionController", kinds.CLUSTER_CONFIG_VERSION, key, _version(cluster.spec))
        if ctx.find(kinds.CLUSTER_UUID, key) is None:
            made = str(uuid.uuid4())
            own = Context(ctx.store, "ClusterUUIDController")
            own.write(
                kinds.CLUSTER_UUID,
                key,
                {"uuid": made},
                {labels.CLUSTER_UUID: made},
                finalizers=(
                    "ClusterKubernetesNodesController",
                    "EtcdBackupEncryptionController",
                    "ClusterDiagnosticsController",
                ),
            )
        _once(ctx, "ClusterWorkloadProxyStatusController", kinds.CLUSTER_WORKLOAD_PROXY_STATUS, key, {})
        _once(ctx, "ClusterBootstrapStatusController", kinds.CLUSTER_BOOTSTRAP_STATUS, key, {"bootstrapped": False})


def _version(spec: Spec) -> Spec:
    return {"version": "v" + str(spec.get("talos_version", ""))}


def _once(ctx: Context, owner: str, kind: str, id_: str, spec: Spec) -> None:
    if ctx.find(kind, id_) is None:
        Context(ctx.store, owner).write(kind, id_, spec)
