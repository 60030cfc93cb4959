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

    name = fields.String(
        required=True,
        metadata={
            "description": "Name of the overlay, as `platforms` has it in `overlay_name`",
            "example": "rpi_generic",
        },
    )
    image = fields.String(
        required=True,
        metadata={
            "description": "Container image that has the overlay, as `platforms` has it in `overlay_image`",
            "example": "siderolabs/sbc-raspberrypi",
        },
    )
    options = fields.String(load_default="", metadata={"description": "Options of the overlay, as YAML", "example": ""})


class SchematicSchema(ResourceSchema):
    """A recipe of a Talos image; immutable."""

    id = fields.String(
        dump_only=True,
        metadata={
            "description": "SHA-256 of the schematic's content, in hex",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        },
    )
    extensions = fields.List(
        fields.String(),
        validate=validate.Length(max=100),
        metadata={"description": "Names of system extensions in the image", "example": ["siderolabs/qemu-guest-agent"]},
    )
    extra_kernel_args = fields.List(
        fields.String(),
        validate=validate.Length(max=100),
        metadata={"description": "Additional kernel arguments in the image", "example": ["console=ttyS0"]},
    )
    talos_version = fields.String(
        load_only=True,
        metadata={
            "description": "Talos version that the extensions are checked against; required with `extensions`",
            "example": "1.13.7",
        },
    )
    meta_values = fields.Dict(
        keys=fields.Integer(),
        values=fields.String(),
        load_only=True,
        metadata={
            "description": "Values that the image writes to Talos' META partition: key → value",
            "additionalProperties": {"type": "string"},
            "example": {"12": "rack-7"},
        },
    )
    media_id = fields.String(
        load_only=True,
        metadata={
            "description": "Id of an entry of Omni's catalogue in `installation-medias`",
            "example": "metal-amd64.iso",
        },
    )
    overlay = wire.Message(
        SchematicOverlaySchema, load_only=True, metadata={"description": "Overlay of a single-board computer's image"}
    )
    bootloader = fields.String(
        load_only=True,
        validate=validate.OneOf(BOOTLOADERS),
        metadata={"description": "Boot loader of the image; left out: `AUTO`, by the Talos version", "example": "AUTO"},
    )
    grpc_tunnel = fields.String(
        load_only=True,
        validate=validate.OneOf(TUNNELS),
        metadata={
            "description": "Whether machines reach Omni by a gRPC tunnel; left out: `AUTO`, as Omni is configured",
            "example": "AUTO",
        },
    )
    embedded_machine_config = fields.String(
        load_only=True, metadata={"description": "Talos configuration in the image, as YAML", "example": ""}
    )
    machines = fields.List(
        fields.String(),
        dump_only=True,
        metadata={
            "description": "Ids of the machines that run the schematic now",
            "example": ["2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"],
        },
    )
    yaml = wire.Masked(
        mask_tokens,
        metadata={
            "description": "The schematic as the image factory has it; join tokens are masked",
            "example": "customization: {}",
        },
    )
    grpc_tunnel_enabled = wire.Boolean(
        dump_only=True,
        metadata={"description": "Whether machines with the image reach Omni by a gRPC tunnel", "example": False},
    )

    request_only = frozenset(
        {"talos_version", "meta_values", "media_id", "overlay", "bootloader", "grpc_tunnel", "embedded_machine_config"}
    )
