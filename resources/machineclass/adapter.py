"""Machine classes in Omni."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import OmniResourceAdapter, Problem, Resource
from omni_gateway.sdk.omni import types

_KINDS = ("match_labels", "auto_provision")


class MachineClassAdapter(OmniResourceAdapter):
    """Classes of one of two kinds, which cannot change."""

    restricted_may_write = False

    def __init__(self) -> None:
        super().__init__(types.MACHINE_CLASSES)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for both kinds or none, and for a change of the kind, which Omni answers with an error."""
        given = [name for name in _KINDS if resource.spec.get(name)]
        if len(given) != 1:
            text = "Give exactly one of `match_labels` and `auto_provision`."
            raise Problem(422, "validation", errors={name: [text] for name in given or _KINDS})
        if existing is not None and not existing.spec.get(given[0]):
            raise Problem(422, "validation", errors={given[0]: ["The kind of a class cannot be changed."]})
