"""The load balancer of a cluster's Kubernetes API, as Omni sets it up."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema


class LoadBalancerConfigSchema(ResourceSchema):
    """Port and endpoints of a cluster's load balancer."""

    bind_port = fields.String()
    siderolink_endpoint = fields.String()
    endpoints = fields.List(fields.String())
