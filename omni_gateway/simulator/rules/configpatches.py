"""Rules of ConfigPatches."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator import labels
from omni_gateway.simulator.errors import InvalidArgument
from omni_gateway.simulator.machineconfig.patch import check_patch
from omni_gateway.simulator.rules import locks
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.machinesets import TYPE as MACHINE_SET
from omni_gateway.simulator.state.resource import Resource

TYPE = "ConfigPatches.omni.sidero.dev"
_TARGETS = ((labels.CLUSTER, locks.CLUSTER), (labels.MACHINE_SET, MACHINE_SET))


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check the content, and that the target of the labels does not tear down; it need not exist."""
    for label, type_ in _TARGETS:
        target = ctx.find(type_, new.labels.get(label, ""))
        if target is not None and target.phase != "running":
            yield f"{target.id!r} is being removed"
    yield from _content(new)


def update(_: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Check the content if it changed."""
    if old.spec != new.spec:
        yield from _content(new)


RULES = Rules(TYPE, create, update)


def _content(new: Resource) -> Iterator[str]:
    try:
        check_patch(new.spec.get("data", ""))
    except InvalidArgument as error:
        yield error.message
