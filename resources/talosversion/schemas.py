"""A Talos version that Omni offers."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class TalosVersionSchema(ResourceSchema):
    """A Talos version that Omni offers, and the Kubernetes versions that it runs."""

    version = fields.String()
    compatible_kubernetes_versions = fields.List(fields.String())
    deprecated = wire.Boolean()
    upgradable_talos_versions = fields.List(fields.String())
    unsupported = wire.Boolean()
    image_factory_url = fields.String()
    is_enterprise = wire.Boolean()
