"""Rules of InfraMachineConfigs."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.metadata import has_control
from omni_gateway.simulator.state.resource import Resource

_LINK = "Links.omni.sidero.dev"
_LONGEST = {"extra_kernel_args": 4096, "requested_reboot_id": 128, "power_off_request_id": 128}
_ACCEPTED = 1


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check the texts; the machine need not exist."""
    for field, longest in _LONGEST.items():
        text = new.spec.get(field) or ""
        if len(text.encode()) > longest:
            yield f"{field} is longer than {longest} bytes"
        if has_control(text):
            yield f"{field} has control characters"


def update(ctx: RuleContext, old: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start, and that an acceptance is not taken back."""
    yield from create(ctx, new)
    if _accepted(old) and not _accepted(new):
        yield "a machine that was accepted stays accepted"


def destroy(ctx: RuleContext, old: Resource) -> Iterator[str]:
    """Refuse the removal of an acceptance as long as the machine has a link."""
    link = ctx.find(_LINK, old.id)
    if _accepted(old) and link is not None:
        yield "the machine is accepted and linked: remove the machine itself"


RULES = Rules("InfraMachineConfigs.omni.sidero.dev", create, update, destroy)


def _accepted(res: Resource) -> bool:
    return bool(res.spec.get("acceptance_status") == _ACCEPTED)
