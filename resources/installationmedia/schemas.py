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

    platform = fields.String(
        required=True, metadata={"description": "Id of a platform of the kind `cloud` in `platforms`", "example": "aws"}
    )


class InstallationMediaBoardSchema(SpecSchema):
    """The single-board computer that the image is for."""

    overlay = fields.String(
        required=True,
        metadata={"description": "Id of a board of the kind `sbc` in `platforms`", "example": "rpi_generic"},
    )
    overlay_options = fields.String(metadata={"description": "Options of the board's overlay, as YAML", "example": ""})


class _Kind(fields.String, wire.Rendered):
    """The kind of a medium: a configuration, unless the adapter says that it is an entry of the catalogue."""

    zero = "config"

    def render(self, value: str) -> str:
        """Return the kind itself."""
        return value


class InstallationMediaSchema(ResourceSchema):
    """A medium: an entry of Omni's catalogue, or a user's configuration."""

    kind = _Kind(
        dump_only=True,
        metadata={
            "enum": ["catalogue", "config"],
            "description": "`catalogue`: an entry of Omni's own, read-only; `config`: a configuration of a user",
            "example": "config",
        },
    )
    architecture = wire.Enum(
        enums.Architecture,
        required=True,
        metadata={"description": "Architecture of the machines that the image is for", "example": "AMD64"},
    )
    talos_version = fields.String(
        metadata={
            "description": "Talos version of the image, without a leading `v`; empty in the catalogue",
            "example": "1.13.7",
        }
    )
    install_extensions = fields.List(
        fields.String(),
        metadata={
            "description": "System extensions in the image, as `talos-extensions` lists them",
            "example": ["siderolabs/qemu-guest-agent"],
        },
    )
    kernel_args = fields.String(
        validate=validate.Length(max=4096),
        metadata={
            "description": "Additional kernel arguments in the image, separated by spaces",
            "example": "console=ttyS0",
        },
    )
    cloud = wire.Message(
        InstallationMediaCloudSchema,
        metadata={"description": "The cloud that the image is for; null: metal, or a board"},
    )
    sbc = wire.Message(
        InstallationMediaBoardSchema,
        metadata={"description": "The single-board computer that the image is for; null: none"},
    )
    join_token = wire.Secret(
        metadata={"description": "Reads `***` when one is set; left out: the default token", "example": ""}
    )
    secure_boot = wire.Boolean(
        metadata={"description": "Whether the image is signed for UEFI Secure Boot", "example": False}
    )
    grpc_tunnel = wire.Enum(
        enums.GrpcTunnelMode,
        metadata={
            "description": "Whether machines reach Omni by a gRPC tunnel; `UNSET`: as Omni is configured",
            "example": "UNSET",
        },
    )
    machine_labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Labels of the machines that start from the image",
            "additionalProperties": {"type": "string"},
            "example": {"rack": "7"},
        },
    )
    bootloader = wire.Enum(
        MediaBootloader,
        metadata={"description": "Boot loader of the image; `BOOT_AUTO`: by the Talos version", "example": "BOOT_AUTO"},
    )
    embedded_machine_config = fields.String(
        metadata={"description": "Talos configuration in the image, as YAML", "example": ""}
    )
    image_factory_url = fields.String(
        metadata={
            "description": "URL of the image factory that builds the image; empty: the first one of this Omni",
            "example": "https://factory.talos.dev",
        }
    )
    name = fields.String(
        dump_only=True, metadata={"description": "Catalogue: display name of the medium", "example": "ISO (amd64)"}
    )
    profile = fields.String(
        dump_only=True,
        metadata={
            "description": "Catalogue: profile of the image factory that the image is built by",
            "example": "iso",
        },
    )
    content_type = fields.String(
        dump_only=True,
        attribute="contentType",
        metadata={"description": "Catalogue: media type of the image file", "example": "application/x-iso9660-image"},
    )
    src_file_prefix = fields.String(
        dump_only=True,
        metadata={"description": "Catalogue: beginning of the file's name at the image factory", "example": ""},
    )
    dest_file_prefix = fields.String(
        dump_only=True,
        metadata={
            "description": "Catalogue: beginning of the name under which omnictl stores the file",
            "example": "iso-amd64-omni-my-org",
        },
    )
    extension = fields.String(
        dump_only=True, metadata={"description": "Catalogue: ending of the file's name", "example": "iso"}
    )
    no_secure_boot = wire.Boolean(
        dump_only=True,
        metadata={"description": "Catalogue: whether no image for Secure Boot can be built", "example": False},
    )
    overlay = fields.String(
        dump_only=True,
        metadata={
            "description": "Catalogue: overlay that images of this kind are always built with, for boards",
            "example": "",
        },
    )
    min_talos_version = fields.String(
        dump_only=True,
        metadata={
            "description": "Catalogue: first Talos version that has such an image; empty: all have",
            "example": "",
        },
    )
