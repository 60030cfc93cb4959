"""Status of a cluster's load balancer."""

from __future__ import annotations

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class LoadBalancerStatusSchema(ResourceSchema):
    """Status of a cluster's load balancer."""

    healthy = wire.Boolean()
    stopped = wire.Boolean()
