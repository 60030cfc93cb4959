"""Rules of KernelArgs, and of kernel arguments wherever they are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.metadata import has_control
from omni_gateway.simulator.state.resource import Resource

_MOST = 64
_LONGEST = 256


def arguments(args: Sequence[str]) -> Iterator[str]:
    """Yield the problems of kernel arguments; empty ones and those of Omni itself are fine."""
    if len(args) > _MOST:
        yield f"more than {_MOST} kernel arguments"
    for arg in args:
        if len(arg.encode()) > _LONGEST:
            yield f"a kernel argument is longer than {_LONGEST} bytes"
        if has_control(arg):
            yield "a kernel argument has control characters"


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check the arguments; the machine need not exist."""
    yield from arguments(new.spec.get("args") or [])


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules("KernelArgs.omni.sidero.dev", create, update)
