"""Rules of etcd backups: when one may be asked for, and where they may go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from ..resource import Resource
from .base import RuleContext, Rules

_MOST_SECONDS_OFF = 60.0


def _create_manual(_: RuleContext, new: Resource) -> Iterator[str]:
    moment = new.spec.get("backup_at")
    off = abs((datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()) if moment else None
    if off is None or off > _MOST_SECONDS_OFF:
        yield f"backup_at must be within {_MOST_SECONDS_OFF:g} seconds of the server's time"


def _update_manual(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    if old.spec.get("backup_at") != new.spec.get("backup_at"):
        yield from _create_manual(ctx, new)


def _bucket(_: RuleContext, new: Resource) -> Iterator[str]:
    if any(new.spec.values()):
        yield "the bucket cannot be listed: a simulator reaches no network"


MANUAL = Rules("EtcdManualBackups.omni.sidero.dev", _create_manual, _update_manual)
BUCKET = Rules("EtcdBackupS3Configs.omni.sidero.dev", _bucket, lambda ctx, _, new: _bucket(ctx, new))
