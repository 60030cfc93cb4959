"""A machine class as callers read and write it."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums


class MachineClassMetaValueSchema(SpecSchema):
    """A value in Talos' META partition (``specs.MetaValue``)."""

    key = wire.Integer(
        metadata={
            "description": "Key in Talos' META partition, e.g. 10 (0x0a) for the network configuration",
            "example": 12,
        }
    )
    value = fields.String(metadata={"description": "Value under that key", "example": "rack-7"})


class MachineClassProvisionSchema(SpecSchema):
    """The creation of machines by an infrastructure provider (``specs.MachineClassSpec.Provision``)."""

    provider_id = fields.String(
        metadata={"description": "Id of the infrastructure provider that creates the machines", "example": "kubevirt"}
    )
    kernel_args = fields.List(
        fields.String(),
        metadata={"description": "Additional kernel arguments of the machines' image", "example": ["console=ttyS0"]},
    )
    meta_values = fields.List(
        fields.Nested(MachineClassMetaValueSchema),
        metadata={"description": "Values that the image writes to Talos' META partition"},
    )
    provider_data = fields.String(
        metadata={
            "description": "Settings of the machines as YAML, in the schema of that provider",
            "example": "cores: 4\nmemory: 8192\n",
        }
    )
    grpc_tunnel = wire.Enum(
        enums.GrpcTunnelMode,
        metadata={
            "description": "Whether the machines reach Omni by a gRPC tunnel; `UNSET`: as Omni is configured",
            "example": "UNSET",
        },
    )


class MachineClassSchema(ResourceSchema):
    """Machines of a kind: selected by `match_labels`, or created by a provider (`auto_provision`)."""

    match_labels = fields.List(
        fields.String(),
        metadata={
            "description": "Label selectors of machines; one that matches is enough. Terms within one are joined by"
            " commas",
            "example": ["omni.sidero.dev/platform = metal"],
        },
    )
    auto_provision = wire.Message(
        MachineClassProvisionSchema,
        metadata={
            "description": "How an infrastructure provider creates the machines, instead of `match_labels`; null:"
            " none does"
        },
    )
