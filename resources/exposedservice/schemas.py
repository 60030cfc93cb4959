"""A service of a cluster that Omni's workload proxy shows."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class ExposedServiceSchema(ResourceSchema):
    """A Kubernetes service that Omni's workload proxy shows."""

    port = wire.Integer()
    label = fields.String()
    icon_base64 = fields.String()
    url = fields.String()
    error = fields.String()
    has_explicit_alias = wire.Boolean()
