"""The system extensions available for a Talos version."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema


class TalosExtensionsInfoSchema(SpecSchema):
    """Talos extensions info (``specs.TalosExtensionsSpec.Info``)."""

    name = fields.String()
    author = fields.String()
    version = fields.String()
    description = fields.String()
    ref = fields.String()
    digest = fields.String()


class TalosExtensionsSchema(ResourceSchema):
    """The system extensions of one Talos version, which is the id."""

    items = fields.List(fields.Nested(TalosExtensionsInfoSchema))
