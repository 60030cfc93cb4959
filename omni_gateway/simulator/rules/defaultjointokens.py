"""Rules of DefaultJoinTokens: which token is the default."""

from __future__ import annotations

from collections.abc import Iterator

from ..resource import Resource
from .base import RuleContext, Rules
from .jointokens import DEFAULT as TYPE
from .jointokens import TYPE as JOIN_TOKEN


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """The default must exist."""
    if ctx.find(JOIN_TOKEN, new.spec.get("token_id") or "") is None:
        yield "the default must be a join token that exists"


def destroy(_: RuleContext, __: Resource) -> Iterator[str]:
    """There is always one."""
    yield "there is always a default join token"


RULES = Rules(TYPE, update=update, destroy=destroy)
