"""Exposing and hiding as operations: Omni looks at a cluster's Services when it likes."""

from __future__ import annotations

from omni_gateway.sdk import OmniClient, Operation, OperationKind, find, object_url, types

COLLECTION = "exposed-services"
MAKE, REMOVE = "exposed-service-create", "exposed-service-destroy"


def _exposing(omni: OmniClient, id: str) -> Operation:
    target = object_url(COLLECTION, id)
    shown = find(omni, types.EXPOSED_SERVICES, id)
    if shown is None:
        return Operation(MAKE, id, "running", "Omni does not show it yet.", target=target)
    if shown.spec.get("error"):
        return Operation(MAKE, id, "failed", "Omni cannot show it.", error=shown.spec["error"], target=target)
    return Operation(MAKE, id, "succeeded", f"Omni shows it at {shown.spec.get('url')}.", target=target)


def _hiding(omni: OmniClient, id: str) -> Operation:
    target = object_url(COLLECTION, id)
    if find(omni, types.EXPOSED_SERVICES, id) is None:
        return Operation(REMOVE, id, "succeeded", "Omni does not show it (any more).", target=target)
    return Operation(REMOVE, id, "running", "Omni shows it still.", target=target)


EXPOSING = OperationKind(MAKE, _exposing, "A Service being exposed; `succeeded` when Omni shows it")
HIDING = OperationKind(REMOVE, _hiding, "A Service being hidden; `succeeded` when Omni shows it no more")
