"""The operation of a machine that leaves its cluster: Omni wipes it first, for which it must be connected."""

from __future__ import annotations

from omni_gateway.sdk import OmniClient, Operation, Resource
from omni_gateway.sdk.actions import removal_of, stages_in_order
from omni_gateway.sdk.adapters import find, object_url
from omni_gateway.sdk.clusters import member_waits
from omni_gateway.sdk.omni import types


def _is_leaving(omni: OmniClient, member: Resource) -> bool:
    """Return whether a machine is being removed from its cluster.

    The removal starts at its machine set node: the member itself changes only after Omni has seen the node's end.
    """
    node = find(omni, types.MACHINE_SET_NODES, member.id)
    return member.tearing_down or node is None or node.tearing_down


def _leaving(omni: OmniClient, member: Resource) -> Operation:
    """Return the operation, with the machine that it waits for."""
    id = member.id
    waiting = [member_waits.leaving_member(omni, id)]
    steps = [("taken up by Omni", member.tearing_down), ("wiped and removed", False)]
    held = f"Held by {', '.join(sorted(member.finalizers)) or 'no controller'}."
    return Operation(
        "clustermachine-destroy",
        id,
        "running",
        held if member.tearing_down else "Its machine set node is gone; Omni has not begun to remove it.",
        target=object_url("clustermachines", id),
        details={"finalizers": list(member.finalizers)},
        stages=stages_in_order(steps, "running"),
        waiting_for=waiting,
        hint=member_waits.hint_for_unreachable(waiting, f"DELETE {object_url('machines', id)}?force=true"),
    )


LEAVING = removal_of(
    types.CLUSTER_MACHINES,
    "clustermachine",
    "clustermachines",
    _leaving,
    title="cluster machine",
    is_leaving=_is_leaving,
)
