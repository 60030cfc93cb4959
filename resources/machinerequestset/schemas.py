"""A request for machines of an infrastructure provider."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums


class MachineRequestSetMetaValueSchema(SpecSchema):
    """Machine request set meta value (``specs.MetaValue``)."""

    key = wire.Integer()
    value = fields.String()


class MachineRequestSetSchema(ResourceSchema):
    """A request for a number of machines from an infrastructure provider."""

    provider_id = fields.String()
    machine_count = wire.Integer()
    talos_version = fields.String()
    extensions = fields.List(fields.String())
    kernel_args = fields.List(fields.String())
    meta_values = fields.List(fields.Nested(MachineRequestSetMetaValueSchema))
    provider_data = fields.String()
    grpc_tunnel = wire.Enum(enums.GrpcTunnelMode)


class MachineRequestSetStatusSchema(ResourceSchema):
    """Status of a request for machines: it has metadata only."""
