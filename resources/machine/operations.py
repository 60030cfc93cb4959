"""A machine's long work: leaving Omni, leaving its cluster. Each is read from Omni's own objects."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Problem,
    Resource,
    State,
    find,
    object_url,
    types,
)
from omni_gateway.sdk import fields as wire


class MemberStage(IntEnum):
    """``specs.ClusterMachineStatusSpec.Stage``."""

    UNKNOWN = 0
    BOOTING = 1
    INSTALLING = 2
    CONFIGURING = 3
    RUNNING = 4
    DESTROYING = 5
    UPGRADING = 6
    REBOOTING = 7
    SHUTTING_DOWN = 8
    BEFORE_DESTROY = 9
    POWERING_ON = 10
    POWERED_OFF = 11


_stage = wire.Enum(MemberStage)


def make(
    kind: str, id: str, machine: str, state: State, progress: str = "", details: Mapping[str, Any] | None = None
) -> Operation:
    """Return an operation on a machine; ``id`` may say more than the machine's own."""
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


def stage_of(status: Resource | None) -> str:
    """Name the stage of a cluster's machine."""
    return _stage.render(status.spec.get("stage", 0) if status else 0)


def read_destroy(omni: OmniClient, id: str) -> Operation:
    """Tell how far the removal of a machine is; one that nobody is removing has no such operation (404)."""
    kind = "machine-destroy"
    machine, link = find(omni, types.MACHINES, id), find(omni, types.LINKS, id)
    if machine is None and link is None:
        return make(kind, id, id, "succeeded", "There is no such machine (any more).")
    if link is not None and not link.tearing_down:
        raise Problem(404, "not-found", f"Nobody is removing machine {id!r}.")
    waiting = sorted({*(link.finalizers if link else ()), *(machine.finalizers if machine else ())})
    member = find(omni, types.CLUSTER_MACHINE_STATUSES, id)
    leaving = f"It is leaving its cluster ({stage_of(member)}). " if member else ""
    progress = f"{leaving}Omni's controllers still hold it: {', '.join(waiting)}."
    return make(kind, id, id, "running", progress, {"finalizers": waiting})


def read_reset(omni: OmniClient, id: str) -> Operation:
    """Tell how far a machine is on its way out of its cluster and back into maintenance mode."""
    kind = "machine-reset"
    status = find(omni, types.MACHINE_STATUSES, id)
    if status is None:
        return make(kind, id, id, "succeeded", "There is no such machine (any more).")
    node = find(omni, types.MACHINE_SET_NODES, id)
    if node is not None and not node.tearing_down:
        raise Problem(404, "not-found", f"Nobody is taking machine {id!r} out of its cluster.")
    member = find(omni, types.CLUSTER_MACHINE_STATUSES, id)
    cluster = status.spec.get("cluster", "")
    if node is not None or member is not None or cluster:
        details = {"stage": stage_of(member), "cluster": cluster}
        return make(kind, id, id, "running", f"It is leaving its cluster: {details['stage']}.", details)
    if status.spec.get("connected") and status.spec.get("maintenance"):
        return make(kind, id, id, "succeeded", "It is in no cluster, and waits for a configuration.")
    return make(kind, id, id, "running", "It is in no cluster any more, and has not come back yet.")


DESTROY = OperationKind("machine-destroy", read_destroy, "A machine being removed; `succeeded` when it is not there")
RESET = OperationKind("machine-reset", read_reset, "A machine leaving its cluster, until it is in maintenance mode")
