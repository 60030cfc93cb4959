"""An installation medium (``specs.InstallationMediaSpec``, ``specs.InstallationMediaConfigSpec``)."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums


class MediaBootloader(IntEnum):
    """Values of ``management.SchematicBootloader``."""

    BOOT_AUTO = 0
    BOOT_DUAL = 1
    BOOT_SD = 2
    BOOT_GRUB = 3


class InstallationMediaCloudSchema(SpecSchema):
    """The cloud that the image is for."""

    platform = fields.String(required=True, metadata={"description": "Id of a cloud in `platforms`"})


class InstallationMediaBoardSchema(SpecSchema):
    """The single-board computer that the image is for."""

    overlay = fields.String(required=True, metadata={"description": "Id of a board in `platforms`"})
    overlay_options = fields.String(metadata={"description": "YAML"})


class InstallationMediaSchema(ResourceSchema):
    """A medium: an entry of Omni's catalogue, or a user's configuration."""

    kind = fields.String(
        dump_only=True, metadata={"enum": ["catalogue", "config"], "description": "Omni's own or a user's"}
    )
    architecture = wire.Enum(enums.Architecture, required=True)
    talos_version = fields.String()
    install_extensions = fields.List(fields.String())
    kernel_args = fields.String(validate=validate.Length(max=4096), metadata={"description": "Separated by spaces"})
    cloud = wire.Message(InstallationMediaCloudSchema)
    sbc = wire.Message(InstallationMediaBoardSchema)
    join_token = wire.Secret(metadata={"description": "Reads `***` when one is set; left out: the default token"})
    secure_boot = wire.Boolean()
    grpc_tunnel = wire.Enum(enums.GrpcTunnelMode)
    machine_labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Labels of the machines that start from it",
            "additionalProperties": {"type": "string"},
        },
    )
    bootloader = wire.Enum(MediaBootloader)
    embedded_machine_config = fields.String(metadata={"description": "Talos configuration, YAML"})
    image_factory_url = fields.String()
    name = fields.String(dump_only=True, metadata={"description": "Catalogue: the display name"})
    profile = fields.String(dump_only=True, metadata={"description": "Catalogue: profile of the image factory"})
    content_type = fields.String(dump_only=True, attribute="contentType")
    src_file_prefix = fields.String(dump_only=True)
    dest_file_prefix = fields.String(dump_only=True)
    extension = fields.String(dump_only=True, metadata={"description": "Catalogue: ending of the file's name"})
    no_secure_boot = wire.Boolean(dump_only=True, metadata={"description": "Catalogue: cannot do secure boot"})
    overlay = fields.String(dump_only=True)
    min_talos_version = fields.String(dump_only=True)
