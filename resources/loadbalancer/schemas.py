"""Status of a cluster's load balancer."""

from __future__ import annotations

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class LoadBalancerStatusSchema(ResourceSchema):
    """Status of a cluster's load balancer."""

    healthy = wire.Boolean(
        metadata={
            "description": "Whether the load balancer reaches the Kubernetes API of a control plane",
            "example": True,
        }
    )
    stopped = wire.Boolean(
        metadata={
            "description": "Whether Omni has stopped the load balancer: no machine of the control plane is connected",
            "example": False,
        }
    )
