"""The comparison of an object with a write: whether the write would change anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.model.resource import Resource
from omni_gateway.omni.specs import settled


def same_content(existing: Resource, wanted: Resource) -> bool:
    """Return True if ``wanted`` has the labels, annotations and spec of ``existing``, so that no write is needed.

    Specs are compared by meaning: a null is the same as a field that is not set, and in Omni's specs an explicit zero
    value too.
    """
    return (
        wanted.labels == existing.labels
        and wanted.annotations == existing.annotations
        and (
            _members(wanted.spec) == _members(existing.spec)
            or settled(existing.type, wanted.spec, existing.spec)
            == settled(existing.type, existing.spec, existing.spec)
        )
    )


def _members(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a spec that are set; a body cannot set one to null."""
    return {name: value for name, value in spec.items() if value is not None}
