"""Rules of JoinTokens and of which one is the default."""

from __future__ import annotations

from collections.abc import Iterator

from ..resource import Resource
from .base import RuleContext, Rules

JOIN_TOKEN = "JoinTokens.omni.sidero.dev"  # noqa: S105 (a type's name)
DEFAULT = "DefaultJoinTokens.omni.sidero.dev"
_DEFAULT_ID = "default"
LONGEST_NAME = 16


def name_problems(name: str) -> Iterator[str]:
    """Yield what is wrong with a token's name."""
    if not 1 <= len(name.encode()) <= LONGEST_NAME:
        yield f"a join token's name has 1 to {LONGEST_NAME} bytes"


def _update_token(_: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    if old.spec.get("name") != new.spec.get("name"):
        yield from name_problems(new.spec.get("name") or "")


def _destroy_token(ctx: RuleContext, old: Resource) -> Iterator[str]:
    default = ctx.find(DEFAULT, _DEFAULT_ID)
    if default is not None and default.spec.get("token_id") == old.id:
        yield "the default join token cannot be removed"


def _update_default(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    if ctx.find(JOIN_TOKEN, new.spec.get("token_id") or "") is None:
        yield "the default must be a join token that exists"


def _destroy_default(_: RuleContext, __: Resource) -> Iterator[str]:
    yield "there is always a default join token"


TOKEN = Rules(JOIN_TOKEN, update=_update_token, destroy=_destroy_token)
DEFAULT_TOKEN = Rules(DEFAULT, update=_update_default, destroy=_destroy_default)
