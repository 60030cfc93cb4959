"""The load balancer of a cluster's Kubernetes API, as Omni sets it up."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema


class LoadBalancerConfigSchema(ResourceSchema):
    """Port and endpoints of a cluster's load balancer."""

    bind_port = fields.String(
        metadata={
            "description": "Port on which Omni serves the cluster's Kubernetes API inside SideroLink",
            "example": "10000",
        }
    )
    siderolink_endpoint = fields.String(
        metadata={
            "description": "URL of the load balancer inside SideroLink, which the cluster's nodes use as their"
            " control plane endpoint",
            "example": "https://[fdae:41e4:649b:9303::1]:10000",
        }
    )
    endpoints = fields.List(
        fields.String(),
        metadata={
            "description": "Addresses and ports of the control planes that requests are passed to",
            "example": ["[fdae:41e4:649b:9303:7396:c9b4:213a:2a86]:6443"],
        },
    )
