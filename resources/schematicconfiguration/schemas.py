"""The wanted image of a machine."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.redaction import mask_tokens


class SchematicConfigurationSchema(ResourceSchema):
    """The schematic and the Talos version that Omni wants on a machine."""

    schematic_id = fields.String(
        metadata={
            "description": "Id of the schematic that Omni wants on the machine",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    talos_version = fields.String(
        metadata={
            "description": "Talos version that Omni wants on the machine, without a leading `v`",
            "example": "1.13.7",
        }
    )
    kernel_args = fields.List(
        wire.Masked(mask_tokens),
        dump_only=True,
        metadata={
            "description": "The arguments in the schematic, join tokens masked; empty since Omni 1.9, where"
            " `kernel-args` has them",
            "example": [],
        },
    )
