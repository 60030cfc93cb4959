"""Operations on a machine: the parts that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import Operation
from omni_gateway.sdk.actions import State
from omni_gateway.sdk.adapters import object_url

#: Servers that test their memory take minutes to start; after this many seconds the outcome is unknown.
BOUND_SECONDS = 900.0


def machine_operation(
    kind: str, id: str, machine: str, state: State, progress: str = "", details: Mapping[str, Any] | None = None
) -> Operation:
    """Return an operation on a machine; its ``id`` may hold more than the machine's id."""
    failed = state == "failed"
    return Operation(
        kind,
        id,
        state,
        progress="" if failed else progress,
        error=progress if failed else "",
        target=object_url("machines", machine),
        details=details or {},
    )


def hint_for(machine: str) -> str:
    """Return the hint for an operation without evidence: the URLs to check."""
    url = object_url("machines", machine)
    return f"Look at {url} (connected, power_state), {url}/logs and the machine's console."
