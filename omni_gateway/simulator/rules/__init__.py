"""The checks of Omni's validators before an object is written: one module per resource type."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules import metadata
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.registry import REGISTRY
from omni_gateway.simulator.state.resource import Resource

__all__ = ["RuleContext", "Rules", "on_create", "on_destroy", "on_update"]


def on_create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Yield every problem of a new object."""
    yield from metadata.of_new(new)
    rules = REGISTRY.get(new.type)
    if rules is not None and rules.create is not None:
        yield from rules.create(ctx, new)


def on_update(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Yield every problem of a change."""
    yield from metadata.of_changed(old, new)
    rules = REGISTRY.get(new.type)
    if rules is not None and rules.update is not None:
        yield from rules.update(ctx, old, new)


def on_destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    """Yield everything that stands against the end of an object."""
    rules = REGISTRY.get(old.type)
    if rules is not None and rules.destroy is not None:
        yield from rules.destroy(ctx, old)
