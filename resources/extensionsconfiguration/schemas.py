"""System extensions of machines."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema


class ExtensionsConfigurationSchema(ResourceSchema):
    """System extensions of a cluster, a machine set or one machine; its labels name it. The most specific wins."""

    extensions = fields.List(
        fields.String(),
        metadata={
            "description": "Names of system extensions, as `talos-extensions` lists them for the Talos version; this"
            " list replaces less specific ones",
            "example": ["siderolabs/iscsi-tools"],
        },
    )
