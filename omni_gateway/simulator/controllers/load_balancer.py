"""The load balancer in front of a cluster's Kubernetes API: stopped without control planes, healthy with the API."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id, by_label
from omni_gateway.simulator.controllers.membership import control_planes, hardware
from omni_gateway.simulator.machines.hardware import STAGE_RUNNING

API_SECONDS = 18.8
"""From the bootstrap of etcd to an API server that answers."""

_OF_CLUSTER = by_label(labels.CLUSTER)


class LoadBalancer(Controller):
    """Key: a cluster's id."""

    name = "LoadBalancerController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.CLUSTER_BOOTSTRAP_STATUS: by_id,
        kinds.CLUSTER_MACHINE_STATUS: _OF_CLUSTER,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Write whether the API can be reached."""
        cluster = ctx.find(kinds.CLUSTER, key)
        if cluster is None:
            return
        connected = running = 0
        for res in control_planes(ctx, key):
            hw = hardware(ctx, res.id)
            if hw is not None and hw.connected and hw.cluster:
                connected += 1
                running += hw.stage == STAGE_RUNNING
        bootstrap = ctx.find(kinds.CLUSTER_BOOTSTRAP_STATUS, key)
        healthy = cluster.phase == "running" and running > 0
        if healthy and bootstrap is not None and bootstrap.spec.get("bootstrapped"):
            healthy = ctx.passed(bootstrap.updated, API_SECONDS)
        else:
            healthy = False
        spec = {"healthy": healthy, "stopped": not connected}
        ctx.write(kinds.LOAD_BALANCER_STATUS, key, spec, {labels.CLUSTER: key})
