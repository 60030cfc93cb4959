"""Etcd backups: manual ones, and the periodic ones of a cluster's backup configuration."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id
from omni_gateway.simulator.state.resource import Resource

_OK, _ERROR = 1, 2
_MAX_DELAY_SECONDS = 600.0
MAX_BACKUPS = 200
"""Backups kept of a cluster; older ones are dropped."""

_OVERALL = "etcdbackup-overall-status"


class EtcdBackup(Controller):
    """Key: a cluster's id."""

    name = "EtcdBackupController"
    inputs = {
        kinds.ETCD_MANUAL_BACKUP: by_id,
        kinds.ETCD_BACKUP_STATUS: by_id,
        kinds.CLUSTER: by_id,
        kinds.CLUSTER_STATUS: by_id,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Make the backup that is due: by hand at once, by the clock when the interval has passed."""
        cluster = ctx.running(kinds.CLUSTER, key)
        if cluster is None:
            return
        status = ctx.find(kinds.ETCD_BACKUP_STATUS, key)
        last = _moment(status.spec.get("last_backup_attempt")) if status else None
        if self._asked_for(ctx, key, last) or self._periodic(ctx, cluster, last):
            self._back_up(ctx, cluster)

    def _asked_for(self, ctx: Context, key: str, last: datetime | None) -> bool:
        request = ctx.running(kinds.ETCD_MANUAL_BACKUP, key)
        at = _moment(request.spec.get("backup_at")) if request else None
        if request is None or at is None:
            return False
        written = request.updated if request.version > 1 and request.updated else request.created
        if abs((datetime.now(UTC) - at).total_seconds()) > _MAX_DELAY_SECONDS or written is None:
            return False
        return last is None or last < written

    def _periodic(self, ctx: Context, cluster: Resource, last: datetime | None) -> bool:
        plan = cluster.spec.get("backup_configuration") or {}
        status = ctx.find(kinds.CLUSTER_STATUS, cluster.id)
        if not plan.get("enabled") or status is None or not status.spec.get("kubernetesAPIReady"):
            return False
        interval = float(str(plan.get("interval") or "0s").removesuffix("s"))
        return interval > 0 and ctx.passed(last or cluster.created, interval)

    def _back_up(self, ctx: Context, cluster: Resource) -> None:
        now = datetime.now(UTC)
        status = ctx.find(kinds.CLUSTER_STATUS, cluster.id)
        reachable = status is not None and bool(status.spec.get("controlplaneReady"))
        said: Spec = {"status": _OK if reachable else _ERROR, "last_backup_attempt": _text(now)}
        if reachable:
            said["last_backup_time"] = _text(now)
            self._keep(ctx, cluster, now)
        else:
            said["error"] = "no control plane could be reached for a snapshot of etcd"
        ctx.write(kinds.ETCD_BACKUP_STATUS, cluster.id, said, {labels.CLUSTER: cluster.id})
        overall = Context(ctx.store, "EtcdBackupOverallStatusController")
        overall.write(
            kinds.ETCD_BACKUP_OVERALL_STATUS, _OVERALL, {"configuration_name": "local", "last_backup_status": said}
        )

    def _keep(self, ctx: Context, cluster: Resource, now: datetime) -> None:
        uuid = ctx.find(kinds.CLUSTER_UUID, cluster.id)
        seconds = int(now.timestamp())
        name = f"{cluster.id}-{seconds}"
        size = 500_000 + int(hashlib.sha256(name.encode()).hexdigest()[:4], 16)
        spec = {
            "created_at": _text(now.replace(microsecond=0)),
            "snapshot": f"{(1 << 64) - seconds:016X}.snapshot",
            "size": size,
        }
        own = {labels.CLUSTER: cluster.id, labels.CLUSTER_UUID: uuid.spec["uuid"] if uuid else ""}
        unowned = Context(ctx.store, "")
        unowned.write(kinds.ETCD_BACKUP, name, spec, own)
        for old in ctx.all(kinds.ETCD_BACKUP, cluster=cluster.id)[:-MAX_BACKUPS]:
            unowned.destroy(kinds.ETCD_BACKUP, old.id)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
