"""The operation of a machine that joins its machine set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Problem,
    Resource,
)
from omni_gateway.sdk.actions import (
    State,
    WaitingFor,
    stages_in_order,
    unknown_after,
)
from omni_gateway.sdk.adapters import find, object_url, resources_of
from omni_gateway.sdk.clusters import member_waits
from omni_gateway.sdk.omni import label_names, types

KIND = "clustermachine-create"
#: Omni makes a member within seconds of its node; after this many seconds the node is probably wrong.
BOUND_SECONDS = 600.0


def read(omni: OmniClient, id: str) -> Operation:
    """Return the operation: succeeded once Omni has made the machine a member; 404 without a machine set node."""
    node, member = find(omni, types.MACHINE_SET_NODES, id), find(omni, types.CLUSTER_MACHINES, id)
    if node is None and member is None:
        raise Problem(404, "not-found", f"No machine set node names {id!r}.")
    return _joining(omni, id, node, member)


def joining(omni: OmniClient, node: Resource) -> Operation:
    """Return the operation for a node just created, which a read from Omni may not return yet."""
    return _joining(omni, node.id, node, None)


def _joining(omni: OmniClient, id: str, node: Resource | None, member: Resource | None) -> Operation:
    leaving = member.tearing_down if member is not None else node is not None and node.tearing_down
    if leaving:
        return _operation(id, node, "failed", "The machine is being taken out of its cluster.")
    if member is not None:
        return _operation(id, node, "succeeded", "The machine is a member of its cluster.")
    connected = member_waits.is_connected(omni, id)
    reason = "Omni has not made it a member yet." if connected else "Omni cannot reach it."
    operation = replace(
        _operation(id, node, "running", "Omni has not taken the machine yet."),
        waiting_for=[WaitingFor(id, reason, connected=connected)],
    )
    machine_set = node.labels.get(label_names.LABEL_MACHINE_SET, "") if node else ""
    hint = (
        f"Look at {object_url('machinesets', machine_set, 'status')}, at {object_url('machines', id)}, and whether the"
        f" labels of {object_url('machinesetnodes', id)} are those of its machine set."
    )
    return unknown_after(operation, BOUND_SECONDS, hint)


def _operation(id: str, node: Resource | None, state: State, text: str) -> Operation:
    failed = state == "failed"
    return Operation(
        KIND,
        id,
        state,
        "" if failed else text,
        text if failed else "",
        object_url("clustermachines", id),
        started=node.created if node else None,
        stages=stages_in_order([("named by a machine set node", node is not None), ("made a member", False)], state),
    )


def _under_way(omni: OmniClient) -> Iterator[Operation]:
    """Return the joins under way: machines with a node that are not members yet."""
    members = {item.id for item in resources_of(omni.resources.list(types.CLUSTER_MACHINES))}
    for node in resources_of(omni.resources.list(types.MACHINE_SET_NODES)):
        if node.id not in members and not node.tearing_down:
            yield _joining(omni, node.id, node, None)


JOINING = OperationKind(KIND, read, "A machine becoming a member of a cluster", under_way=_under_way)
