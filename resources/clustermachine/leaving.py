"""A machine leaving its cluster, as an operation: Omni wipes it first, which takes a connection."""

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
    object_url,
    resources_of,
    stages_in_order,
    types,
)

KIND = "clustermachine-destroy"


def read(omni: OmniClient, id: str) -> Operation:
    """Tell how far a machine is on its way out of its cluster; 404 when nobody takes it out.

    The removal begins with the machine set node: until Omni has seen that it is gone the member looks as ever.
    """
    member = find(omni, types.CLUSTER_MACHINES, id)
    if member is None:
        text = "There is no such object (any more)."
        return Operation(KIND, id, "succeeded", text, target=object_url("clustermachines", id))
    node = find(omni, types.MACHINE_SET_NODES, id)
    if not member.tearing_down and node is not None and not node.tearing_down:
        raise Problem(404, "not-found", f"Nobody is removing {id!r}.")
    return _leaving(omni, member)


def _leaving(omni: OmniClient, member: Resource) -> Operation:
    id = member.id
    waiting = [member_waits.leaving_member(omni, id)]
    steps = [("taken up by Omni", member.tearing_down), ("wiped and removed", False)]
    held = f"Held by {', '.join(sorted(member.finalizers)) or 'nobody'}."
    return Operation(
        KIND,
        id,
        "running",
        held if member.tearing_down else "Its machine set node is gone; Omni has not begun to remove it.",
        target=object_url("clustermachines", id),
        details={"finalizers": list(member.finalizers)},
        started=member.updated if member.tearing_down else None,
        stages=stages_in_order(steps, "running"),
        waiting_for=waiting,
        hint=member_waits.hint_for_unreachable(waiting, f"DELETE {object_url('machines', id)}?force=true"),
    )


def _under_way(omni: OmniClient) -> Iterator[Operation]:
    for member in resources_of(omni.resources.list(types.CLUSTER_MACHINES)):
        if member.tearing_down:
            yield _leaving(omni, member)


LEAVING = OperationKind(
    KIND, read, "A clustermachine being removed; `succeeded` when it is not there", under_way=_under_way
)
