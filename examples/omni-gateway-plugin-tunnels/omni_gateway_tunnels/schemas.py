"""Objects as callers read and write them."""

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class GRPCTunnelConfigSchema(ResourceSchema):
    """gRPC tunnel config."""

    enabled = wire.Boolean(metadata={"description": "Whether it is enabled", "example": True})
