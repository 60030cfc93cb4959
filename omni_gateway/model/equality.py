"""The comparison of an object with a write: whether the write would change anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.model.resource import Resource
from omni_gateway.omni.messages import members, message_of
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
            _set_members(wanted.spec) == _set_members(existing.spec)
            or _by_meaning(existing.type, wanted.spec, existing.spec)
            == _by_meaning(existing.type, existing.spec, existing.spec)
        )
    )


def _set_members(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a spec that are set; a body cannot set one to null."""
    return {name: value for name, value in spec.items() if value is not None}


def _by_meaning(type: str, spec: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec as Omni would keep it; members that Omni does not have, which an adapter has added, stay."""
    message = message_of(type)
    if message is None:
        return settled(type, spec, stored)
    omnis = spec.keys() & members(message).keys()
    others = {name: spec[name] for name in spec.keys() - omnis}
    return {**settled(type, {name: spec[name] for name in omnis}, stored), **others}
