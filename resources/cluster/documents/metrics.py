"""Metrics of one cluster, from its status: Omni has metrics of the whole fleet only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from omni_gateway.sdk import Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import ComputedDocument
from omni_gateway.sdk.adapters import find, object_url
from omni_gateway.sdk.omni import types
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.schemas.status import ClusterMachineCountsSchema, ClusterStatusSchema

_FEATURES = {
    "disable_public_discovery_service": "disable_public_discovery_service",
    "disk_encryption": "disk_encryption",
    "embedded_discovery_service": "use_embedded_discovery_service",
    "node_audit_skip": "enable_node_audit_skip",
    "workload_proxy": "enable_workload_proxy",
}
_status_schema = ClusterStatusSchema()


class ClusterMetricsSchema(SpecSchema):
    """Counts of one cluster; those of the whole fleet are at `cluster-metrics`."""

    id = fields.String(metadata={"description": "Id of the cluster", "example": "my-cluster"})
    machines = fields.Nested(
        ClusterMachineCountsSchema, metadata={"description": "Numbers of machines, of all machine sets together"}
    )
    unhealthy = wire.Integer(metadata={"description": "Requested machines that are not healthy", "example": 0})
    disconnected = wire.Integer(metadata={"description": "Members that are not connected", "example": 0})
    ready = wire.Boolean(metadata={"description": "Whether all machine sets are running and ready", "example": True})
    phase = fields.String(
        metadata={"description": "What the machine sets do, as in the cluster's `status`", "example": "RUNNING"}
    )
    features = fields.Dict(
        keys=fields.String(),
        values=wire.Integer(),
        metadata={
            "description": "Feature → 1 where it is on, else 0",
            "additionalProperties": {"type": "integer"},
            "example": {"enable_workload_proxy": 1},
        },
    )
    links = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="_links",
        metadata={
            "description": "Relative URLs of this document and of the cluster",
            "additionalProperties": {"type": "string"},
        },
    )


def metrics(adapter: ClusterAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the counts of a cluster's machines; all zeros while Omni has no status of it."""
    cluster = adapter.get(id)
    found = find(adapter.omni, types.CLUSTER_STATUSES, id)
    status = _status_schema.render_spec(found.spec if found else {})
    counts = {name: status[name] for name in ("total", "healthy", "connected", "requested")}
    on = cluster.spec.get("features") or {}
    return {
        "id": id,
        "machines": counts,
        "unhealthy": max(counts["requested"] - counts["healthy"], 0),
        "disconnected": max(counts["total"] - counts["connected"], 0),
        "ready": status["ready"],
        "phase": status["phase"],
        "features": {name: int(bool(on.get(field))) for name, field in _FEATURES.items()},
        "_links": {"self": object_url("clusters", id, "metrics"), "cluster": object_url("clusters", id)},
    }


METRICS = ComputedDocument(
    "metrics",
    role=Role.READER,
    summary="Counts of the cluster's machines",
    description="Counted by Omni; all zeros while it has no status of the cluster.",
    answers=ClusterMetricsSchema,
    run=metrics,
)
