"""Rules of KubernetesHealthChecks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..resource import Resource
from .base import RuleContext, Rules
from .durations import seconds

_DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_SHORTEST_INTERVAL = 5.0


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check id, job and interval."""
    if not _DNS_NAME.fullmatch(new.id):
        yield "the id must be a DNS name"
    if not new.spec.get("job"):
        yield "the job is missing"
    if (interval := new.spec.get("interval")) and seconds(interval) < _SHORTEST_INTERVAL:
        yield f"the interval must be {_SHORTEST_INTERVAL:g} seconds or more"


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules("KubernetesHealthChecks.omni.sidero.dev", create, update)
