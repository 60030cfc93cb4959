"""Reading what may not be there."""

from __future__ import annotations

from omni_gateway.omni import OmniClient
from omni_gateway.omni import errors as omni_errors
from omni_gateway.sdk.resource import Resource


def find(omni: OmniClient, type: str, id: str, namespace: str | None = None) -> Resource | None:
    """Return the object, or None when there is none."""
    try:
        return Resource.from_omni(omni.resources.get(type, id, namespace))
    except omni_errors.NotFound:
        return None
