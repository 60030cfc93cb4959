"""A backup that was asked for: it ends when Omni's status tells of an attempt that is not older."""

from __future__ import annotations

from datetime import datetime

from omni_gateway.sdk import OmniClient, Operation, OperationKind, Problem, find, object_url, types
from resources.etcdbackup.schemas import EtcdBackupState

KIND = "etcd-backup"


def read(omni: OmniClient, id: str) -> Operation:
    """Tell how the backup of the cluster ``id`` is; 404 when nobody has asked for one."""
    request = find(omni, types.ETCD_MANUAL_BACKUPS, id)
    if request is None:
        raise Problem(404, "not-found", f"Nobody has asked for a backup of {id!r}.")
    target = object_url("clusters", id, "etcdbackups")
    status = find(omni, types.ETCD_BACKUP_STATUSES, id)
    tried = status.spec.get("last_backup_attempt") if status else None
    if status is None or not tried or _moment(tried) < _moment(request.spec["backup_at"]):
        return Operation(KIND, id, "running", "Omni has not tried yet.", target=target)
    if status.spec.get("status") == EtcdBackupState.Running:
        return Operation(KIND, id, "running", "Omni takes the backup.", target=target, details=status.spec)
    if status.spec.get("status") == EtcdBackupState.Ok:
        return Operation(KIND, id, "succeeded", "The backup is there.", target=target, details=status.spec)
    return Operation(KIND, id, "failed", error=status.spec.get("error", ""), target=target, details=status.spec)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _a_backup(cluster: str) -> str:
    """Return an id that a backup of a cluster might have: the plugin's objects are backups."""
    return f"{cluster}-0"


BACKUP = OperationKind(KIND, read, "A backup of a cluster's etcd, asked for by POST /etcdbackups", _a_backup)
