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
    """Where Talos can run, and which images there are for it."""

    kind = fields.String(metadata={"enum": ["cloud", "metal", "sbc"], "description": "Which catalogue it stands in"})
    label = fields.String(metadata={"description": "Its name for people"})
    description = fields.String()
    architectures = fields.List(wire.Enum(enums.Architecture))
    boot_methods = fields.List(wire.Enum(BootMethod), metadata={"description": "How machines can be started"})
    disk_image_suffix = fields.String(metadata={"description": "Ending of its disk image's name"})
    documentation = fields.String(metadata={"description": "Path below Talos' documentation"})
    min_version = fields.String(metadata={"description": "The first Talos version that runs there"})
    secure_boot_supported = wire.Boolean()
    overlay_name = fields.String(metadata={"description": "Single-board computers: the overlay of its image"})
    overlay_image = fields.String(metadata={"description": "Single-board computers: the image the overlay is in"})
