"""Rules of MachineRequests."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator import labels
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.state.resource import Resource

_PROVIDER_ID = labels.PREFIX + "infra-provider-id"


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check that a provider is named."""
    if not new.labels.get(_PROVIDER_ID):
        yield f"the label {_PROVIDER_ID} is missing"


RULES = Rules("MachineRequests.omni.sidero.dev", create)
