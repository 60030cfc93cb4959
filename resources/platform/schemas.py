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

    kind = fields.String(
        metadata={
            "enum": ["cloud", "metal", "sbc"],
            "description": "Kind of platform: a cloud, metal, or a single-board computer (`sbc`)",
            "example": "cloud",
        }
    )
    label = fields.String(
        metadata={"description": "Display name of the platform", "example": "Amazon Web Services (AWS)"}
    )
    description = fields.String(
        metadata={
            "description": "One line about the platform, for people",
            "example": "Runs on Amazon Web Services (AWS)",
        }
    )
    architectures = fields.List(
        wire.Enum(enums.Architecture),
        metadata={"description": "Architectures that Talos has images for", "example": ["AMD64", "ARM64"]},
    )
    boot_methods = fields.List(
        wire.Enum(BootMethod),
        metadata={"description": "Ways in which machines of the platform can boot Talos", "example": ["DISK_IMAGE"]},
    )
    disk_image_suffix = fields.String(
        metadata={"description": "Ending of the name of its disk image", "example": "raw.xz"}
    )
    documentation = fields.String(
        metadata={
            "description": "Path of the platform's page below Talos' documentation",
            "example": "/talos-guides/install/cloud-platforms/aws/",
        }
    )
    min_version = fields.String(
        metadata={
            "description": "The first Talos version that runs there, without a leading `v`; empty: all do",
            "example": "1.0.0",
        }
    )
    secure_boot_supported = wire.Boolean(
        metadata={"description": "Whether machines of the platform can boot with UEFI Secure Boot", "example": True}
    )
    overlay_name = fields.String(
        metadata={"description": "Single-board computers: the overlay of its image", "example": ""}
    )
    overlay_image = fields.String(
        metadata={"description": "Single-board computers: the image the overlay is in", "example": ""}
    )
