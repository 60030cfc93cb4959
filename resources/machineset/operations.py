"""A machine set being removed: its machines are wiped first, and one that Omni cannot reach holds it up."""

from __future__ import annotations

from collections.abc import Iterator

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Problem,
    Resource,
    find,
    member_waits,
    names,
    object_url,
    resources_of,
    stages_in_order,
    types,
)

KIND = "machineset-destroy"


def read(omni: OmniClient, id: str) -> Operation:
    """Tell how far the removal of a machine set is; one that nobody is removing has no such operation (404)."""
    machine_set = find(omni, types.MACHINE_SETS, id)
    if machine_set is None:
        text = "There is no such object (any more)."
        return Operation(KIND, id, "succeeded", text, target=object_url("machinesets", id))
    if not machine_set.tearing_down:
        raise Problem(404, "not-found", f"Nobody is removing {id!r}.")
    return _destruction(omni, machine_set)


def _destruction(omni: OmniClient, machine_set: Resource) -> Operation:
    id = machine_set.id
    status = find(omni, types.MACHINE_SET_DESTROY_STATUSES, id)
    waiting = member_waits.leaving_members(omni, names.LABEL_MACHINE_SET, id)
    lost = member_waits.unreachable(waiting)
    progress = str(status.spec.get("phase") or "") if status else ""
    progress = progress or f"Held by {', '.join(sorted(machine_set.finalizers)) or 'nobody'}."
    progress = member_waits.with_unreachable(progress, waiting)
    steps = [("machines wiped", not waiting), ("released by Omni's controllers", False), ("removed", False)]
    return Operation(
        KIND,
        id,
        "running",
        progress,
        target=object_url("machinesets", id),
        details={"finalizers": list(machine_set.finalizers)},
        started=status.created if status else machine_set.updated,
        stages=stages_in_order(steps, "running"),
        waiting_for=waiting,
        hint=member_waits.hint_for_unreachable(
            waiting, f"DELETE {object_url('machines', lost[0] if lost else '')}?force=true"
        ),
    )


def _under_way(omni: OmniClient) -> Iterator[Operation]:
    for machine_set in resources_of(omni.resources.list(types.MACHINE_SETS)):
        if machine_set.tearing_down:
            yield _destruction(omni, machine_set)


DESTROY = OperationKind(
    KIND, read, "A machineset being removed; `succeeded` when it is not there", under_way=_under_way
)
