"""Requests for machines: what Omni lets pass and nobody means is refused here (facts: machine-auth-detail 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import FieldErrors, OmniResourceAdapter, Resource
from omni_gateway.sdk.omni import types


class MachineRequestSetAdapter(OmniResourceAdapter):
    """Requests; a provider stays the one that it was made for."""

    of_the_fleet = True

    def __init__(self) -> None:
        super().__init__(types.MACHINE_REQUEST_SETS)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for a count below zero and for another provider."""
        refusals = FieldErrors()
        if resource.spec.get("machine_count", 0) < 0:
            refusals.add("machine_count", "Must be at least 0.")
        if existing is not None and existing.spec.get("provider_id") != resource.spec.get("provider_id"):
            refusals.add("provider_id", "A request stays with its provider; make another one.")
        refusals.raise_if_any()
