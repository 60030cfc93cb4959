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

    id = fields.String(dump_only=True, metadata={"description": "The cluster's id and the backup's Unix time"})
    cluster = fields.String(required=True, metadata={"description": "The cluster that is backed up"})
    created_at = wire.Timestamp(dump_only=True)
    snapshot = fields.String(dump_only=True, metadata={"description": "Its name where a restore asks for one"})
    size = wire.Int64(dump_only=True, metadata={"description": "Bytes"})


class EtcdBackupStatusSchema(ResourceSchema):
    """Result of a cluster's last backup."""

    status = wire.Enum(EtcdBackupState)
    error = fields.String(metadata={"description": "What went wrong"})
    last_backup_time = wire.Timestamp(metadata={"description": "Time of the last successful backup"})
    last_backup_attempt = wire.Timestamp(metadata={"description": "Time of the last attempt"})
