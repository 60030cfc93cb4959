"""A machine joining its machine set, as an operation."""

from __future__ import annotations

from omni_gateway.sdk import OmniClient, Operation, OperationKind, Problem, find, object_url, types

KIND = "clustermachine-create"


def _read(omni: OmniClient, id: str) -> Operation:
    target = object_url("clustermachines", id)
    if find(omni, types.CLUSTER_MACHINES, id) is not None:
        return Operation(KIND, id, "succeeded", "The machine is a member of its cluster.", target=target)
    if find(omni, types.MACHINE_SET_NODES, id) is None:
        raise Problem(404, "not-found", f"No machine set node names {id!r}.")
    return Operation(KIND, id, "running", "Omni has not taken the machine yet.", target=target)


JOINING = OperationKind(KIND, _read, "A machine becoming a member of a cluster")
