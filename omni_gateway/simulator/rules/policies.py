"""Rules of AccessPolicies, SAMLLabelRules and EulaAcceptances."""

from __future__ import annotations

from collections.abc import Iterator

from .. import selectors
from ..resource import Resource
from .base import RuleContext, Rules

_ONLY_ID = "access-policy"
_ROLES = ("None", "Reader", "Operator", "Admin")


def _policy(_: RuleContext, new: Resource) -> Iterator[str]:
    if new.id != _ONLY_ID:
        yield f"the one access policy has the id {_ONLY_ID!r}"
    for rule in new.spec.get("rules") or []:
        if rule.get("role") and rule["role"] not in _ROLES:
            yield f"{rule['role']!r} is no role that a rule gives"


def _label_rule(_: RuleContext, new: Resource) -> Iterator[str]:
    if new.spec.get("assign_role") not in _ROLES:
        yield f"a role to assign is needed, one of {', '.join(_ROLES)}"
    if new.spec.get("assign_role_on_registration"):
        yield "assign_role_on_registration is not used any more: assign_role is"
    for text in new.spec.get("match_labels") or []:
        try:
            selectors.parse(text)
        except selectors.SelectorError as error:
            yield str(error)


def _eula(_: RuleContext, new: Resource) -> Iterator[str]:
    for field in ("accepted_by_name", "accepted_by_email"):
        if not new.spec.get(field):
            yield f"{field} is missing"


POLICY = Rules("AccessPolicies.omni.sidero.dev", _policy, lambda ctx, _, new: _policy(ctx, new))
LABEL_RULE = Rules("SAMLLabelRules.omni.sidero.dev", _label_rule, lambda ctx, _, new: _label_rule(ctx, new))
EULA = Rules("EulaAcceptances.omni.sidero.dev", _eula)
