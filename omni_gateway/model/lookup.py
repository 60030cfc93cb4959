"""Reading what may not be there, and what belongs together."""

from __future__ import annotations

from omni_gateway.model.omni_objects import read, resources_of
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient
from omni_gateway.omni import errors as omni_errors
from omni_gateway.omni.selectors import sendable


def find(omni: OmniClient, type: str, id: str, namespace: str | None = None) -> Resource | None:
    """Return the object, or None when there is none."""
    try:
        return read(omni, type, id, namespace)
    except omni_errors.NotFound:
        return None


def find_labelled(omni: OmniClient, type: str, label: str, value: str) -> list[Resource]:
    """Return the objects whose ``label`` has this value; they are shared, so they are never changed in place.

    The value is often a cluster's name, which may hold any letters, and no label query carries more than ASCII: then
    all objects are read, and these chosen here.
    """
    term = f"{label}={value}"
    listing = omni.resources.list(type, selectors=[term] if sendable(term) else [])
    return [item for item in resources_of(listing) if item.labels.get(label) == value]
