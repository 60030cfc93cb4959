"""A backup of a cluster's etcd."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class EtcdBackupStatus(IntEnum):
    """Values of ``EtcdBackupStatus``."""

    Unknown = 0
    Ok = 1
    Error = 2
    Running = 3


class EtcdBackupStatusSchema(ResourceSchema):
    """How the last backup of a cluster went."""

    status = wire.Enum(EtcdBackupStatus)
    error = fields.String()
    last_backup_time = wire.Timestamp()
    last_backup_attempt = wire.Timestamp()
