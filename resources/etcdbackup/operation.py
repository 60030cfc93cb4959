"""The operation of a requested backup: it ends when Omni's status has an attempt that is not older."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Problem,
    Resource,
)
from omni_gateway.sdk.actions import State, stages_in_order, unknown_after
from omni_gateway.sdk.adapters import find, object_url, resources_of
from omni_gateway.sdk.omni import types
from resources.etcdbackup.schemas import EtcdBackupState

KIND = "etcd-backup"
#: Omni begins within seconds of the request, and the upload of a large etcd takes minutes; then: unknown.
BOUND_SECONDS = 1800.0


def read(omni: OmniClient, id: str) -> Operation:
    """Return the operation of the backup of the cluster ``id``; 404 if none was requested."""
    request = find(omni, types.ETCD_MANUAL_BACKUPS, id)
    if request is None:
        raise Problem(404, "not-found", f"No backup of {id!r} has been requested.")
    return backup_of(omni, request)


def backup_of(omni: OmniClient, request: Resource) -> Operation:
    """Return the operation of a request (an EtcdManualBackup)."""
    status = find(omni, types.ETCD_BACKUP_STATUSES, request.id)
    asked = str(request.spec["backup_at"])
    tried = status.spec.get("last_backup_attempt") if status else None
    if status is None or not tried or _moment(tried) < _moment(asked):
        return _bounded(_operation(request, "running", "Omni has not tried yet."))
    if status.spec.get("status") == EtcdBackupState.Running:
        return _bounded(_operation(request, "running", "Omni takes the backup.", status.spec))
    if status.spec.get("status") == EtcdBackupState.Ok:
        return _operation(request, "succeeded", "The backup is there.", status.spec)
    failed = _operation(request, "failed", "", status.spec)
    return replace(failed, error=str(status.spec.get("error", "")))


def _operation(request: Resource, state: State, progress: str, details: dict[str, Any] | None = None) -> Operation:
    steps = [("taken up by Omni", details is not None), ("backup stored", False)]
    return Operation(
        KIND,
        request.id,
        state,
        progress,
        target=object_url("clusters", request.id, "etcdbackups"),
        details=details or {},
        started=str(request.spec["backup_at"]),
        stages=stages_in_order(steps, state),
    )


def _bounded(operation: Operation) -> Operation:
    status = object_url("clusters", operation.id, "status")
    backups = object_url("clusters", operation.id, "etcdbackups")
    hint = f"Look at {status}, at {backups} for a newer backup, and whether Omni has a place for backups."
    return unknown_after(operation, BOUND_SECONDS, hint)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _a_backup(cluster: str) -> str:
    """Return a possible backup id of a cluster: the plugin's objects are backups, not clusters."""
    return f"{cluster}-0"


def _under_way(omni: OmniClient) -> Iterator[Operation]:
    """Return the requested backups that have not succeeded."""
    for request in resources_of(omni.resources.list(types.ETCD_MANUAL_BACKUPS)):
        if request.spec.get("backup_at") and (operation := backup_of(omni, request)).state != "succeeded":
            yield operation


BACKUP = OperationKind(
    KIND, read, "A backup of a cluster's etcd, asked for by POST /etcdbackups", _a_backup, under_way=_under_way
)
