"""Rules of EulaAcceptances."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.state.resource import Resource

_TYPE = "EulaAcceptances.omni.sidero.dev"
_ONLY_ID = "eula"


def create(ctx: RuleContext, new: Resource) -> Iterator[str]:
    """Check that it is accepted by name and address, and once."""
    if new.id != _ONLY_ID:
        yield f"the one acceptance has the id {_ONLY_ID!r}"
    if ctx.find(_TYPE, _ONLY_ID) is not None:
        yield "the agreement has been accepted already"
    for field in ("accepted_by_name", "accepted_by_email"):
        if not new.spec.get(field):
            yield f"{field} is missing"


RULES = Rules(_TYPE, create)
