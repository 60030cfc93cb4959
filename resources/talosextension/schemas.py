"""The system extensions available for a Talos version."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema


class TalosExtensionsInfoSchema(SpecSchema):
    """One system extension (``specs.TalosExtensionsSpec.Info``)."""

    name = fields.String(
        metadata={
            "description": "Full name of the extension, as schematics and `extensions` fields take it",
            "example": "siderolabs/iscsi-tools",
        }
    )
    author = fields.String(metadata={"description": "Author of the extension", "example": "Sidero Labs"})
    version = fields.String(metadata={"description": "Version of the extension itself", "example": "v0.2.0"})
    description = fields.String(
        metadata={
            "description": "What the extension does, as its author describes it",
            "example": "Tools for iSCSI storage",
        }
    )
    ref = fields.String(
        metadata={
            "description": "Reference of the container image that has the extension",
            "example": "ghcr.io/siderolabs/iscsi-tools:v0.2.0",
        }
    )
    digest = fields.String(
        metadata={
            "description": "Digest of that image, `sha256:…`",
            "example": "sha256:5f3c8a1d9b7e4c2f6a0d8e1b3c5f7a9d2e4b6c8f0a1d3e5b7c9f2a4d6e8b0c1d",
        }
    )


class TalosExtensionsSchema(ResourceSchema):
    """The system extensions of one Talos version, which is the id."""

    items = fields.List(
        fields.Nested(TalosExtensionsInfoSchema),
        metadata={"description": "System extensions that images of this Talos version can have"},
    )
