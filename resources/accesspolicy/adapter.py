"""The one access policy in Omni."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import FieldErrors, OmniResourceAdapter, Resource
from omni_gateway.sdk.omni import types

ID = "access-policy"
_GROUP = "group/"
#: Member of a rule → member of the policy that defines its groups.
_GROUPS = {"users": "user_groups", "clusters": "cluster_groups"}


class AccessPolicyAdapter(OmniResourceAdapter):
    """The policy. Omni validates it except for undefined groups: it accepts a rule that can never apply."""

    def __init__(self) -> None:
        super().__init__(types.ACCESS_POLICIES)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422, by rule, for groups that the policy does not define."""
        refusals = FieldErrors()
        for number, rule in enumerate(resource.spec.get("rules") or []):
            for member, groups in _GROUPS.items():
                known = resource.spec.get(groups) or {}
                for place, name in enumerate(rule.get(member) or []):
                    if name.startswith(_GROUP) and name.removeprefix(_GROUP) not in known:
                        refusals.add(f"rules.{number}.{member}.{place}", f"`{groups}` has no group of this name.")
        refusals.raise_if_any()
