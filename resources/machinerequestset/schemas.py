"""A request for machines of an infrastructure provider."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums


class MachineRequestSetMetaValueSchema(SpecSchema):
    """A value in Talos' META partition (``specs.MetaValue``)."""

    key = wire.Integer(
        metadata={
            "description": "Key in Talos' META partition, e.g. 10 (0x0a) for the network configuration",
            "example": 12,
        }
    )
    value = fields.String(metadata={"description": "Value under that key", "example": "rack-7"})


class MachineRequestSetSchema(ResourceSchema):
    """A request for a number of machines from an infrastructure provider."""

    provider_id = fields.String(
        metadata={
            "description": "Id of the infrastructure provider that creates the machines; cannot be changed",
            "example": "kubevirt",
        }
    )
    machine_count = wire.Integer(
        metadata={"description": "Number of machines to create; the provider removes those above it", "example": 2}
    )
    talos_version = fields.String(
        metadata={"description": "Talos version of the machines, without a leading `v`", "example": "1.13.7"}
    )
    extensions = fields.List(
        fields.String(),
        metadata={
            "description": "System extensions in the machines' image",
            "example": ["siderolabs/qemu-guest-agent"],
        },
    )
    kernel_args = fields.List(
        fields.String(),
        metadata={"description": "Additional kernel arguments of the machines' image", "example": ["console=ttyS0"]},
    )
    meta_values = fields.List(
        fields.Nested(MachineRequestSetMetaValueSchema),
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


class MachineRequestSetStatusSchema(ResourceSchema):
    """Status of a request for machines: it has metadata only."""
