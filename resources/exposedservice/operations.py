"""The operations of exposing and hiding a Service: Omni polls a cluster's Services.

The id of exposing holds its start time, after a ``~``: Kubernetes does not record when a Service was annotated.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Resource,
)
from omni_gateway.sdk.actions import State, stages_in_order, unknown_after
from omni_gateway.sdk.adapters import find, object_url
from omni_gateway.sdk.omni import types

COLLECTION = "exposed-services"
MAKE, REMOVE = "exposed-service-create", "exposed-service-destroy"
#: Omni reads the Services of a connected cluster within a minute; after this many seconds: unknown.
BOUND_SECONDS = 600.0
_MARK = "~"


def operation_id(service: str) -> str:
    """Return the id of an operation on a service that starts now."""
    return f"{service}{_MARK}{int(time.time() * 1000)}"


def service_of(id: str) -> str:
    """Return the exposed service in an operation's id."""
    return id.partition(_MARK)[0]


def _started(id: str) -> str | None:
    text = id.partition(_MARK)[2]
    if not (text.isascii() and text.isdigit() and len(text) <= 13):
        return None
    return datetime.fromtimestamp(int(text) / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_exposing(omni: OmniClient, id: str) -> Operation:
    """Return the operation of exposing: succeeded once Omni shows the service."""
    shown = find(omni, types.EXPOSED_SERVICES, service_of(id))
    if shown is None:
        return _bounded(_operation(MAKE, id, "running", "Omni does not show it yet."))
    if shown.spec.get("error"):
        return replace(_operation(MAKE, id, "failed", "Omni cannot show it."), error=str(shown.spec["error"]))
    return _operation(MAKE, id, "succeeded", f"Omni shows it at {shown.spec.get('url')}.")


def read_hiding(omni: OmniClient, id: str) -> Operation:
    """Return the operation of hiding: succeeded once Omni does not show the service any more."""
    shown: Resource | None = find(omni, types.EXPOSED_SERVICES, service_of(id))
    if shown is None:
        return _operation(REMOVE, id, "succeeded", "Omni does not show it (any more).")
    return _bounded(_operation(REMOVE, id, "running", "Omni shows it still."))


def _operation(kind: str, id: str, state: State, progress: str) -> Operation:
    last = "shown by Omni" if kind == MAKE else "not shown by Omni any more"
    return Operation(
        kind,
        service_of(id),
        state,
        progress,
        target=object_url(COLLECTION, service_of(id)),
        started=_started(id),
        mark=id.removeprefix(service_of(id)),
        stages=stages_in_order([("Service annotated", True), (last, False)], state),
    )


def _bounded(operation: Operation) -> Operation:
    cluster = operation.id.partition("/")[0]
    hint = (
        f"Look whether the cluster can be reached ({object_url('clusters', cluster, 'status')}) and exposes services"
        f" ({object_url('clusters', cluster, 'workload-proxy-status')}), and whether the Service is there."
    )
    return unknown_after(operation, BOUND_SECONDS, hint)


EXPOSING = OperationKind(MAKE, read_exposing, "A Service being exposed; `succeeded` when Omni shows it", service_of)
HIDING = OperationKind(
    REMOVE, read_hiding, "A Service being hidden; `succeeded` when Omni shows it no more", service_of
)
