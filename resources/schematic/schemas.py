"""A schematic as callers read and create it (``ManagementService.CreateSchematic``)."""

from __future__ import annotations

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.redaction import mask_tokens

BOOTLOADERS = ("AUTO", "DUAL", "SD", "GRUB")
TUNNELS = ("AUTO", "DISABLED", "ENABLED")


class SchematicOverlaySchema(SpecSchema):
    """The overlay of a single-board computer."""

    name = fields.String(required=True)
    image = fields.String(required=True)
    options = fields.String(load_default="", metadata={"description": "YAML"})


class SchematicSchema(ResourceSchema):
    """A recipe of a Talos image; immutable."""

    id = fields.String(dump_only=True, metadata={"description": "Hash of the content"})
    extensions = fields.List(
        fields.String(), validate=validate.Length(max=100), metadata={"description": "Names of system extensions"}
    )
    extra_kernel_args = fields.List(
        fields.String(),
        validate=validate.Length(max=100),
        metadata={"description": "Additional kernel arguments"},
    )
    talos_version = fields.String(
        load_only=True, metadata={"description": "The version that the extensions are checked against"}
    )
    meta_values = fields.Dict(
        keys=fields.Integer(),
        values=fields.String(),
        load_only=True,
        metadata={"description": "Values of Talos' META partition, by key", "additionalProperties": {"type": "string"}},
    )
    media_id = fields.String(load_only=True, metadata={"description": "An installation medium of Omni's"})
    overlay = wire.Message(SchematicOverlaySchema, load_only=True)
    bootloader = fields.String(load_only=True, validate=validate.OneOf(BOOTLOADERS))
    grpc_tunnel = fields.String(
        load_only=True,
        validate=validate.OneOf(TUNNELS),
        metadata={"description": "Whether its machines reach Omni by a gRPC tunnel"},
    )
    embedded_machine_config = fields.String(load_only=True, metadata={"description": "Talos configuration, YAML"})
    machines = fields.List(fields.String(), dump_only=True, metadata={"description": "Machines that run it"})
    yaml = wire.Masked(mask_tokens, metadata={"description": "The recipe as the image factory has it; tokens masked"})
    grpc_tunnel_enabled = wire.Boolean(dump_only=True)

    request_only = frozenset(
        {"talos_version", "meta_values", "media_id", "overlay", "bootloader", "grpc_tunnel", "embedded_machine_config"}
    )
