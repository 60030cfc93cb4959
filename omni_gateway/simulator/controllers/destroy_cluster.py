"""Removal of a cluster: workers, control plane, objects labelled with it, the cluster itself, last its statuses."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id, by_label
from omni_gateway.simulator.controllers.finalizers import CLUSTER, CLUSTER_LAST
from omni_gateway.simulator.controllers.membership import role_of
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE
from omni_gateway.simulator.state.resource import Resource

_OF_CLUSTER = by_label(labels.CLUSTER)
_LABELLED = (
    kinds.CONFIG_PATCH,
    kinds.KUBERNETES_MANIFEST_GROUP,
    kinds.EXTENSIONS_CONFIGURATION,
    kinds.KUBERNETES_HEALTH_CHECK,
)
_NAMESAKES = (kinds.IMPORTED_CLUSTER_SECRETS, kinds.ROTATE_TALOS_CA, kinds.ROTATE_KUBERNETES_CA)
_STATUSES = (
    (kinds.CLUSTER_DESTROY_STATUS, "ClusterDestroyStatusController"),
    (kinds.CLUSTER_ENDPOINT, "ClusterEndpointController"),
    (kinds.CLUSTER_KUBERNETES_NODES, "ClusterKubernetesNodesController"),
    (kinds.CLUSTER_WORKLOAD_PROXY_STATUS, "ClusterWorkloadProxyStatusController"),
    (kinds.CLUSTER_BOOTSTRAP_STATUS, "ClusterBootstrapStatusController"),
    (kinds.CLUSTER_CONFIG_VERSION, "ClusterConfigVersionController"),
    (kinds.CLUSTER_UUID, "ClusterUUIDController"),
    (kinds.LOAD_BALANCER_STATUS, "LoadBalancerController"),
    (kinds.LOAD_BALANCER_CONFIG, "ClusterLoadBalancerController"),
    (kinds.ETCD_BACKUP_STATUS, "EtcdBackupController"),
)


class DestroyCluster(Controller):
    """Key: a cluster's id."""

    name = "ClusterDestroyStatusController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.MACHINE_SET: _OF_CLUSTER,
        kinds.CLUSTER_MACHINE: _OF_CLUSTER,
        **dict.fromkeys(_LABELLED, _OF_CLUSTER),
        **dict.fromkeys(_NAMESAKES, by_id),
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Take the next stage once the one before it is over."""
        cluster = ctx.find(kinds.CLUSTER, key)
        if cluster is None:
            for kind, owner in _STATUSES:
                ctx.destroy(kind, key, owner=owner)
            return
        if cluster.phase == "running":
            return
        ctx.release(cluster, *(name for name in CLUSTER if name not in CLUSTER_LAST))
        sets = ctx.all(kinds.MACHINE_SET, cluster=key)
        machines = ctx.all(kinds.CLUSTER_MACHINE, cluster=key)
        phase = f"{len(sets)} machine sets and {len(machines)} machines left to remove"
        ctx.write(kinds.CLUSTER_DESTROY_STATUS, key, {"phase": phase})
        if not self._sets_are_gone(ctx, sets) or not self._labelled_are_gone(ctx, key) or machines:
            return
        for kind in _NAMESAKES:
            res = ctx.find(kind, key)
            if res is not None:
                ctx.teardown(res)
        ctx.release(cluster, *CLUSTER_LAST)

    def _sets_are_gone(self, ctx: Context, sets: list[Resource]) -> bool:
        workers = [res for res in sets if role_of(res) != CONTROL_PLANE]
        for res in workers or sets:
            ctx.teardown(res)
        return not sets

    def _labelled_are_gone(self, ctx: Context, cluster: str) -> bool:
        left = False
        for kind in _LABELLED:
            for res in ctx.all(kind, cluster=cluster):
                if not res.owner:
                    ctx.teardown(res)
                    left = True
        return not left
