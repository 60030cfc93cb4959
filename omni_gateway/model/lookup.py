"""Look-ups of Omni's objects: by an id that may not exist, and by a label."""

from __future__ import annotations

from omni_gateway.model.omni_objects import read, resources_of
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient
from omni_gateway.omni import errors as omni_errors
from omni_gateway.omni.selectors import sendable


def find(omni: OmniClient, type: str, id: str, namespace: str | None = None) -> Resource | None:
    """Return an object, None if it does not exist; shared if it comes from the cache, so never change it in place.

    Raises Omni's other errors. ``namespace`` is by default the type's own.
    """
    try:
        return read(omni, type, id, namespace)
    except omni_errors.NotFound:
        return None


def find_labelled(omni: OmniClient, type: str, label: str, value: str) -> list[Resource]:
    """Return the objects whose ``label`` has this value; they are shared, so never change them in place."""
    # The value is often a cluster's name, which may have letters beyond ASCII. Label selectors may not: then all
    # objects are read and selected here.
    term = f"{label}={value}"
    listing = omni.resources.list(type, selectors=[term] if sendable(term) else [])
    return [item for item in resources_of(listing) if item.labels.get(label) == value]
