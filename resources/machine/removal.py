"""The operation of a machine's removal, read from Omni's own objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Problem,
)
from omni_gateway.sdk.actions import stages_in_order
from omni_gateway.sdk.adapters import find, resources_of
from omni_gateway.sdk.clusters import member_waits
from omni_gateway.sdk.omni import types
from resources.machine.operation import machine_operation


def read_removal(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a machine's removal; 404 for a machine that is not being removed."""
    kind = "machine-destroy"
    machine, link = find(omni, types.MACHINES, id), find(omni, types.LINKS, id)
    if machine is None and link is None:
        return machine_operation(kind, id, id, "succeeded", "There is no such machine (any more).")
    if link is not None and not link.tearing_down:
        raise Problem(404, "not-found", f"machine {id!r} is not being removed.")
    waiting = sorted({*(link.finalizers if link else ()), *(machine.finalizers if machine else ())})
    member = find(omni, types.CLUSTER_MACHINE_STATUSES, id)
    leaving = f"It is leaving its cluster ({member_waits.stage_of(member)}). " if member else ""
    progress = f"{leaving}Omni's controllers still hold it: {', '.join(waiting) or 'none of them'}."
    steps = [
        ("out of its cluster", member is None),
        ("released by Omni's controllers", not waiting),
        ("removed", False),
    ]
    return replace(
        machine_operation(kind, id, id, "running", progress, {"finalizers": waiting}),
        stages=stages_in_order(steps, "running"),
    )


def _removals(omni: OmniClient) -> Iterator[Operation]:
    for link in resources_of(omni.resources.list(types.LINKS)):
        if link.tearing_down:
            yield read_removal(omni, link.id)


REMOVAL = OperationKind(
    "machine-destroy",
    read_removal,
    "A machine being removed; `succeeded` when it is not there",
    under_way=_removals,
)
