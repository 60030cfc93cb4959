"""The caller, as plugins see it."""

from __future__ import annotations

from omni_gateway.auth import Principal
from omni_gateway.rest.request_context import request_context


def current_principal() -> Principal:
    """Return the caller of the current request; raise a 401 problem when there is no valid credential.

    The response then depends on the caller, so the response cache does not store it.
    """
    context = request_context()
    context.reads.cacheable_response = False
    return context.principal
