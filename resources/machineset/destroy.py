"""The action destroy, and the operation of a machine set's removal.

Omni wipes the set's machines first, and waits for disconnected ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import OmniClient, Operation, Resource, ResourceAdapter, Role
from omni_gateway.sdk.actions import Action, DryRunResult, removal_of, stages_in_order
from omni_gateway.sdk.adapters import find, object_url
from omni_gateway.sdk.clusters import member_waits
from omni_gateway.sdk.omni import label_names, types


def _destruction(omni: OmniClient, machine_set: Resource) -> Operation:
    """Return the operation of a machine set's removal, with the machines that it waits for."""
    id = machine_set.id
    status = find(omni, types.MACHINE_SET_DESTROY_STATUSES, id)
    waiting = member_waits.leaving_members(omni, label_names.LABEL_MACHINE_SET, id)
    lost = member_waits.unreachable(waiting)
    progress = str(status.spec.get("phase") or "") if status else ""
    progress = progress or f"Held by {', '.join(sorted(machine_set.finalizers)) or 'no controller'}."
    progress = member_waits.with_unreachable(progress, waiting)
    steps = [("machines wiped", not waiting), ("released by Omni's controllers", False), ("removed", False)]
    return Operation(
        "machineset-destroy",
        id,
        "running",
        progress,
        target=object_url("machinesets", id),
        details={"finalizers": list(machine_set.finalizers)},
        started=status.created if status else None,
        stages=stages_in_order(steps, "running"),
        waiting_for=waiting,
        hint=member_waits.hint_for_unreachable(
            waiting, f"DELETE {object_url('machines', lost[0] if lost else '')}?force=true"
        ),
    )


REMOVAL = removal_of(types.MACHINE_SETS, "machineset", "machinesets", _destruction, title="machine set")


def destroy(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Operation | DryRunResult:
    """Tear a machine set down, as DELETE does, unless it is being removed already."""
    existing = adapter.get(id)
    if dry_run:
        adapter.check_delete(existing)
        return DryRunResult(existing, None)
    if not existing.tearing_down:
        adapter.delete(existing)
    return REMOVAL.read(adapter.omni, id)


DESTROY = Action(
    "destroy",
    role=Role.OPERATOR,
    summary="Remove a machine set; its machines are reset",
    description="The same as DELETE, always with an operation: its machines lose their data and become free.",
    operation=REMOVAL,
    run=destroy,
)
