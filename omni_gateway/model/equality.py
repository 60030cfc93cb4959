"""Whether a write would change anything."""

from __future__ import annotations

from omni_gateway.model.resource import Resource
from omni_gateway.omni.specs import settled


def same_content(existing: Resource, wanted: Resource) -> bool:
    """Whether ``wanted`` says what ``existing`` says already, in whatever form: then no write is needed.

    In Omni's specs a value that is spelled out as its type's zero is the same as none.
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
