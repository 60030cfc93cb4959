"""Omni's three catalogues of platforms, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import Resource
from omni_gateway.sdk.adapters import CallAdapter, member_filter, resources_of
from omni_gateway.sdk.omni import types

TYPES = {
    "cloud": types.CLOUD_PLATFORM_CONFIGS,
    "metal": types.METAL_PLATFORM_CONFIGS,
    "sbc": types.SBC_CONFIGS,
}
KIND = member_filter("kind", "Only those of this kind", fields.String(validate=validate.OneOf(tuple(TYPES))))


class PlatformAdapter(CallAdapter):
    """Clouds, metal and single-board computers; Omni writes all three."""

    type = types.CLOUD_PLATFORM_CONFIGS
    namespace = types.CLOUD_PLATFORM_CONFIGS.namespace
    sortable = frozenset({"label", "kind", "min_version"})

    def items(self, filters: Mapping[str, Any]) -> Sequence[Resource]:
        """Return the platforms of all three kinds; 1 call per kind."""
        return [
            replace(item, spec={**item.spec, "kind": kind})
            for kind, type in TYPES.items()
            for item in resources_of(self.omni.resources.list(type))
        ]
