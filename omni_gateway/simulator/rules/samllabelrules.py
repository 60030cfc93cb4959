"""Rules of SAMLLabelRules."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.selectors import label_selector
from omni_gateway.simulator.state.resource import Resource

ROLES = ("None", "Reader", "Operator", "Admin")
"""The roles that rules may give, an access policy's too."""


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check the role and the selectors."""
    if new.spec.get("assign_role") not in ROLES:
        yield f"a role to assign is needed, one of {', '.join(ROLES)}"
    if new.spec.get("assign_role_on_registration"):
        yield "assign_role_on_registration is not used any more: assign_role is"
    for text in new.spec.get("match_labels") or []:
        try:
            label_selector.parse(text)
        except label_selector.SelectorError as error:
            yield str(error)


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules("SAMLLabelRules.omni.sidero.dev", create, update)
