"""Rules of DefaultJoinTokens: which token is the default."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.jointokens import DEFAULT as TYPE
from omni_gateway.simulator.rules.jointokens import TYPE as JOIN_TOKEN
from omni_gateway.simulator.state.resource import Resource


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """The default must exist."""
    if ctx.find(JOIN_TOKEN, new.spec.get("token_id") or "") is None:
        yield "the default must be a join token that exists"


def destroy(_: RuleContext, __: Resource) -> Iterator[str]:
    """There is always one."""
    yield "there is always a default join token"


RULES = Rules(TYPE, update=update, destroy=destroy)
