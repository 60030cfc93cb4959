"""Notifies the discovery service of machines that left their cluster, so that it forgets them."""

from __future__ import annotations

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id
from omni_gateway.simulator.machines.hardware import Hardware
from omni_gateway.simulator.network import DISCOVERY_ENDPOINT

_OWNER = "ClusterMachineTeardownController"


class Discovery(Controller):
    """Key: the affiliate's id, which is the node identity of the machine that left."""

    name = "DiscoveryAffiliateDeleteTaskController"
    inputs = {kinds.DISCOVERY_AFFILIATE_DELETE_TASK: by_id}

    def reconcile(self, ctx: Context, key: str) -> None:
        """End the task: the made-up discovery service forgets at once."""
        ctx.destroy(kinds.DISCOVERY_AFFILIATE_DELETE_TASK, key, owner=_OWNER)


def tell_of_leaver(ctx: Context, hw: Hardware) -> None:
    """Make the task for a machine that leaves; one that has no identity yet is not known there."""
    if hw.node_identity:
        spec = {"cluster_id": hw.cluster, "discovery_service_endpoint": DISCOVERY_ENDPOINT}
        Context(ctx.store, _OWNER).write(kinds.DISCOVERY_AFFILIATE_DELETE_TASK, hw.node_identity, spec)
