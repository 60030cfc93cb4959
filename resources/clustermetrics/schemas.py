"""The clusters, counted by Omni."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class FleetClusterMetricsSchema(ResourceSchema):
    """How many clusters are in which phase, and which features they use."""

    features = fields.Dict(keys=fields.String(), values=wire.Integer())
    not_ready_count = wire.Integer()
    phases = fields.Dict(keys=fields.String(), values=wire.Integer())
