"""A platform as callers read it (``specs.PlatformConfigSpec``, ``specs.SBCConfigSpec``)."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums


class BootMethod(IntEnum):
    """Values of ``PlatformConfigSpec.BootMethod``."""

    UNKNOWN_BOOT = 0
    DISK_IMAGE = 1
    ISO = 2
    PXE = 3


class PlatformSchema(ResourceSchema):
    """A platform that Talos runs on, with its images."""

    kind = fields.String(metadata={"enum": ["cloud", "metal", "sbc"], "description": "The catalogue that it is in"})
    label = fields.String(metadata={"description": "Display name"})
    description = fields.String()
    architectures = fields.List(wire.Enum(enums.Architecture))
    boot_methods = fields.List(wire.Enum(BootMethod), metadata={"description": "Boot methods of its machines"})
    disk_image_suffix = fields.String(metadata={"description": "Ending of its disk image's name"})
    documentation = fields.String(metadata={"description": "Path below Talos' documentation"})
    min_version = fields.String(metadata={"description": "The first Talos version that runs there"})
    secure_boot_supported = wire.Boolean()
    overlay_name = fields.String(metadata={"description": "Single-board computers: the overlay of its image"})
    overlay_image = fields.String(metadata={"description": "Single-board computers: the image the overlay is in"})
