"""A backup of a cluster's etcd, and the result of the last one (``specs.EtcdBackup…Spec``)."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class EtcdBackupState(IntEnum):
    """Values of ``EtcdBackupStatusSpec.Status``."""

    Unknown = 0
    Ok = 1
    Error = 2
    Running = 3


class EtcdBackupSchema(ResourceSchema):
    """A backup; restore it by `clusters/{id}/actions/bootstrap`, or in `control_plane.bootstrap_spec`."""

    id = fields.String(
        dump_only=True,
        metadata={"description": "The cluster's id and the backup's Unix time", "example": "my-cluster-1785571200"},
    )
    cluster = fields.String(
        required=True, metadata={"description": "Id of the cluster that is backed up", "example": "my-cluster"}
    )
    created_at = wire.Timestamp(
        dump_only=True, metadata={"description": "When the backup was made", "example": "2026-08-21T10:00:00Z"}
    )
    snapshot = fields.String(
        dump_only=True,
        metadata={
            "description": "Name of the backup's file, which a restore asks for",
            "example": "FFFFFFFF94FB6C65.snapshot",
        },
    )
    size = wire.Int64(dump_only=True, metadata={"description": "Size of the backup in bytes", "example": 20971520})


class EtcdBackupStatusSchema(ResourceSchema):
    """Result of a cluster's last backup."""

    status = wire.Enum(
        EtcdBackupState, metadata={"description": "Result of the last attempt, or `Running`", "example": "Ok"}
    )
    error = fields.String(metadata={"description": "Why the last attempt failed; empty if it did not", "example": ""})
    last_backup_time = wire.Timestamp(
        metadata={
            "description": "Time of the last successful backup; null: none yet",
            "example": "2026-08-21T10:00:00Z",
        }
    )
    last_backup_attempt = wire.Timestamp(
        metadata={"description": "Time of the last attempt; null: none yet", "example": "2026-08-21T10:00:00Z"}
    )
