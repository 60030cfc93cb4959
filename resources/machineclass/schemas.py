"""A machine class as callers read and write it."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums


class MachineClassMetaValueSchema(SpecSchema):
    """Machine class meta value (``specs.MetaValue``)."""

    key = wire.Integer()
    value = fields.String()


class MachineClassProvisionSchema(SpecSchema):
    """Machine class provision (``specs.MachineClassSpec.Provision``)."""

    provider_id = fields.String()
    kernel_args = fields.List(fields.String())
    meta_values = fields.List(fields.Nested(MachineClassMetaValueSchema))
    provider_data = fields.String()
    grpc_tunnel = wire.Enum(enums.GrpcTunnelMode)


class MachineClassSchema(ResourceSchema):
    """Machines of a kind: selected by `match_labels`, or created by a provider (`auto_provision`)."""

    match_labels = fields.List(fields.String())
    auto_provision = wire.Message(MachineClassProvisionSchema)
