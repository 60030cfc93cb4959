"""A Talos version that Omni offers."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class TalosVersionSchema(ResourceSchema):
    """A Talos version that Omni offers, and the Kubernetes versions that it runs."""

    version = fields.String(
        metadata={"description": "Talos version without a leading `v`; the same as the id", "example": "1.13.7"}
    )
    compatible_kubernetes_versions = fields.List(
        fields.String(),
        metadata={
            "description": "Kubernetes versions that this Talos runs and Omni offers",
            "example": ["1.35.5", "1.35.6"],
        },
    )
    deprecated = wire.Boolean(
        metadata={
            "description": "Whether the version is older than the oldest one that this Omni supports",
            "example": False,
        }
    )
    upgradable_talos_versions = fields.List(
        fields.String(),
        metadata={
            "description": "Talos versions that a machine with this one can be upgraded to",
            "example": ["1.13.8"],
        },
    )
    unsupported = wire.Boolean(
        metadata={"description": "Whether this Omni was not tested with the version", "example": False}
    )
    image_factory_url = fields.String(
        metadata={
            "description": "URL of the image factory that has the version's images",
            "example": "https://factory.talos.dev",
        }
    )
    is_enterprise = wire.Boolean(
        metadata={"description": "Whether that image factory is an enterprise one", "example": False}
    )
