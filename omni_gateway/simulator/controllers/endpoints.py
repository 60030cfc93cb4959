"""Where a cluster can be reached: its management addresses, its load balancer, and the names of its nodes."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id, by_label
from omni_gateway.simulator.controllers.membership import control_planes, hardware
from omni_gateway.simulator.network import SERVER_ADDRESS

_FIRST_PORT = 10000
_API_PORT = 6443
_OF_CLUSTER = by_label(labels.CLUSTER)


class Endpoints(Controller):
    """Key: a cluster's id."""

    name = "ClusterEndpointController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.CLUSTER_MACHINE: _OF_CLUSTER,
        kinds.CLUSTER_MACHINE_IDENTITY: _OF_CLUSTER,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Follow the control plane's machines; a cluster that is going away has no endpoints."""
        cluster = ctx.find(kinds.CLUSTER, key)
        if cluster is None:
            return
        addresses = []
        if cluster.phase == "running":
            found = (hardware(ctx, res.id) for res in control_planes(ctx, key))
            addresses = sorted(hw.address for hw in found if hw is not None)
        ctx.write(kinds.CLUSTER_ENDPOINT, key, {"management_addresses": addresses})
        names = sorted(res.spec["nodename"] for res in ctx.all(kinds.CLUSTER_MACHINE_IDENTITY, cluster=key))
        Context(ctx.store, "ClusterKubernetesNodesController").write(
            kinds.CLUSTER_KUBERNETES_NODES, key, {"nodes": names}, finalizers=("KubernetesNodeAuditController",)
        )
        spec = {
            "bind_port": self._port(ctx, key),
            "siderolink_endpoint": f"https://[{SERVER_ADDRESS}]:{self._port(ctx, key)}",
            "endpoints": [f"[{address}]:{_API_PORT}" for address in addresses],
        }
        Context(ctx.store, "ClusterLoadBalancerController").write(kinds.LOAD_BALANCER_CONFIG, key, spec)

    def _port(self, ctx: Context, cluster: str) -> str:
        """Return the cluster's port: the one it has, or the lowest that is free."""
        taken = {}
        for res in ctx.all(kinds.LOAD_BALANCER_CONFIG):
            if res.id == cluster:
                return str(res.spec["bind_port"])
            taken[res.spec["bind_port"]] = res.id
        port = _FIRST_PORT
        while str(port) in taken:
            port += 1
        return str(port)
