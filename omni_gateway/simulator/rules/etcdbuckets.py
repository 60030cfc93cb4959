"""Rules of EtcdBackupS3Configs."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.state.resource import Resource


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Refuse any bucket: Omni lists it to see whether it can, and from here it cannot. An empty one means none."""
    if any(new.spec.values()):
        yield "the bucket cannot be listed: a simulator reaches no network"


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules("EtcdBackupS3Configs.omni.sidero.dev", create, update)
