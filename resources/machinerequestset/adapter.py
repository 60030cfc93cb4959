"""Requests for machines, with checks that Omni does not make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import FieldErrors, OmniResourceAdapter, Resource
from omni_gateway.sdk.omni import types


class MachineRequestSetAdapter(OmniResourceAdapter):
    """Requests; the provider of one cannot change."""

    restricted_may_write = False

    def __init__(self) -> None:
        super().__init__(types.MACHINE_REQUEST_SETS)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for a negative count and for a change of the provider."""
        refusals = FieldErrors()
        if resource.spec.get("machine_count", 0) < 0:
            refusals.add("machine_count", "Must be at least 0.")
        if existing is not None and existing.spec.get("provider_id") != resource.spec.get("provider_id"):
            refusals.add("provider_id", "The provider of a request cannot be changed; create another request.")
        refusals.raise_if_any()
