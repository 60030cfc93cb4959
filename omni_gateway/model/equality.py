"""The comparison of an object with a write: whether the write would change anything."""

from __future__ import annotations

from omni_gateway.model.resource import Resource
from omni_gateway.omni.specs import settled


def same_content(existing: Resource, wanted: Resource) -> bool:
    """Return True if ``wanted`` has the labels, annotations and spec of ``existing``, so that no write is needed.

    Specs are compared by meaning: in Omni's specs an explicit zero value is the same as a field that is not set.
    """
    return (
        wanted.labels == existing.labels
        and wanted.annotations == existing.annotations
        and (
            wanted.spec == existing.spec
            or settled(existing.type, wanted.spec, existing.spec)
            == settled(existing.type, existing.spec, existing.spec)
        )
    )
