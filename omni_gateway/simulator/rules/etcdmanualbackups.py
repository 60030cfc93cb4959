"""Rules of EtcdManualBackups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.state.resource import Resource

_MOST_SECONDS_OFF = 60.0


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check that the time is now; the cluster need not exist."""
    moment = new.spec.get("backup_at")
    off = abs((datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()) if moment else None
    if off is None or off > _MOST_SECONDS_OFF:
        yield f"backup_at must be within {_MOST_SECONDS_OFF:g} seconds of the server's time"


def update(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Check the moment if it changed."""
    if old.spec.get("backup_at") != new.spec.get("backup_at"):
        yield from create(ctx, new)


RULES = Rules("EtcdManualBackups.omni.sidero.dev", create, update)
