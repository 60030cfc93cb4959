"""Rules of JoinTokens."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.metadata import has_control
from omni_gateway.simulator.state.resource import Resource

TYPE = "JoinTokens.omni.sidero.dev"
DEFAULT = "DefaultJoinTokens.omni.sidero.dev"
LONGEST_NAME = 16


def update(_: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Check a new name."""
    name = new.spec.get("name") or ""
    if old.spec.get("name") != new.spec.get("name"):
        yield from name_problems(name)


def name_problems(name: str) -> Iterator[str]:
    """Yield the problems of the name of a token."""
    if not 1 <= len(name.encode()) <= LONGEST_NAME:
        yield f"a join token's name has 1 to {LONGEST_NAME} bytes"
    if has_control(name):
        yield "a join token's name has no control characters"


def destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    """The default token stays."""
    default = ctx.find(DEFAULT, "default")
    if default is not None and default.spec.get("token_id") == old.id:
        yield "the default join token cannot be removed"


RULES = Rules(TYPE, update=update, destroy=destroy)
