"""How the load balancer of a cluster is."""

from __future__ import annotations

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class LoadBalancerStatusSchema(ResourceSchema):
    """How the load balancer of a cluster is."""

    healthy = wire.Boolean()
    stopped = wire.Boolean()
