"""Rules of NodeForceDestroyRequests."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.state.resource import Resource

_CLUSTER_MACHINE = "ClusterMachines.omni.sidero.dev"


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Only a machine of a cluster is forced out of it."""
    if ctx.find(_CLUSTER_MACHINE, new.id) is None:
        yield f"the machine {new.id!r} is in no cluster"


RULES = Rules("NodeForceDestroyRequests.omni.sidero.dev", create)
