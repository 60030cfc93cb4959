"""Whether a machine reaches Omni through a gRPC tunnel: Omni's GRPCTunnelConfigs, by machine id."""

from omni_gateway.sdk import (
    READ_WRITE,
    OmniResourceAdapter,
    ResourcePlugin,
    ResourceSchema,
    fields,
)
from omni_gateway.sdk.adapters import id_link


class GRPCTunnelConfigSchema(ResourceSchema):
    """A machine's tunnel setting."""

    enabled = fields.Boolean(metadata={"description": "Carry WireGuard traffic over gRPC"})


plugin = ResourcePlugin(
    name="grpc-tunnel-configs",
    singular="grpc-tunnel-config",
    title="gRPC tunnel config",
    group="Machines",
    description="Whether a machine reaches Omni through a gRPC tunnel.",
    after_write="Omni tells the machine, which opens its tunnel again.",
    after_delete="Omni's default applies again.",
    schema=GRPCTunnelConfigSchema,
    adapter=OmniResourceAdapter("GRPCTunnelConfigs.omni.sidero.dev", sortable=["enabled"]),
    roles=READ_WRITE,
    links={"machine": id_link("machines")},
    example={"id": "00000000-0000-4000-8000-000000000001", "enabled": True},
    sdk=">=2.0,<3",
)
