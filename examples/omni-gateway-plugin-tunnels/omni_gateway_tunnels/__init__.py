"""Whether machines reach Omni through a gRPC tunnel."""

from omni_gateway.sdk import READ_WRITE, OmniResourceAdapter, ResourcePlugin
from omni_gateway.sdk.omni import types

from omni_gateway_tunnels.schemas import GRPCTunnelConfigSchema

plugin = ResourcePlugin(
    name="tunnels",
    singular="tunnel",
    description="Whether machines reach Omni through a gRPC tunnel.",
    group="Machines",
    schema=GRPCTunnelConfigSchema,
    adapter=OmniResourceAdapter(types.GRPC_TUNNEL_CONFIGS, sortable=["enabled"]),
    roles=READ_WRITE,
    after_write="Omni has stored it; controllers of Omni's that follow this type act on it.",
    after_delete="Omni removes it once no controller of Omni's has a finalizer on it.",
    example={"id": "my-tunnel", "enabled": True},
    sdk=">=2.1,<3",
)
