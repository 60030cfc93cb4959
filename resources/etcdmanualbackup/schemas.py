"""A request for a backup of a cluster's etcd."""

from __future__ import annotations

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class EtcdManualBackupSchema(ResourceSchema):
    """A request for a backup now; its id is the cluster's. `backup_at` is within 60 s of Omni's clock."""

    backup_at = wire.Timestamp(
        metadata={
            "description": "When Omni makes the backup, within a minute of its clock; left out: now",
            "example": "2026-08-21T10:00:00Z",
        }
    )
