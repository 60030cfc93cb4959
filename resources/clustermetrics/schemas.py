"""The clusters, counted by Omni."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class FleetClusterMetricsSchema(ResourceSchema):
    """How many clusters are in which phase, and which features they use."""

    features = fields.Dict(
        keys=fields.String(),
        values=wire.Integer(),
        metadata={
            "description": "Feature → number of clusters that use it",
            "example": {"workload_proxy": 1, "disk_encryption": 0},
        },
    )
    not_ready_count = wire.Integer(metadata={"description": "Clusters that are not ready", "example": 0})
    phases = fields.Dict(
        keys=fields.String(),
        values=wire.Integer(),
        metadata={
            "description": "Phase, as in a cluster's `status` → number of clusters",
            "example": {"RUNNING": 2, "SCALING_UP": 1},
        },
    )
