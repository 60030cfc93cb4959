"""The machines of a cluster or machine set that Omni waits for: to come up, or to be wiped when they are removed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from omni_gateway.model.label_names import LABEL_CLUSTER
from omni_gateway.model.lookup import find, find_labelled
from omni_gateway.model.resource import Resource
from omni_gateway.omni import OmniClient, types
from omni_gateway.rest.fields import Enum
from omni_gateway.rest.links import object_url
from omni_gateway.rest.operations import WaitingFor

#: The most machines that an operation lists; their total is in its progress.
MOST_NAMED = 100


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


_stage = Enum(MemberStage)


def stage_of(status: Resource | None) -> str:
    """Return the name of the stage in a ClusterMachineStatus."""
    return _stage.render(status.spec.get("stage", 0) if status else 0)


def is_connected(omni: OmniClient, machine: str) -> bool:
    """Whether Omni can reach a machine; False for one that is not there."""
    found = find(omni, types.MACHINES, machine)
    return bool(found and found.spec.get("connected"))


def leaving_members(omni: OmniClient, label: str, value: str) -> list[WaitingFor]:
    """Return the members that Omni still has to wipe before what ``label`` names can go."""
    members = find_labelled(omni, types.CLUSTER_MACHINES, label, value)
    return [leaving_member(omni, member.id) for member in members[:MOST_NAMED]]


def leaving_member(omni: OmniClient, machine: str) -> WaitingFor:
    """Return what Omni waits for from a machine that leaves its cluster."""
    if not is_connected(omni, machine):
        return WaitingFor(machine, "Omni cannot reach it, and so cannot wipe it.", connected=False)
    stage = stage_of(find(omni, types.CLUSTER_MACHINE_STATUSES, machine))
    return WaitingFor(machine, f"It is leaving its cluster: {stage}.", connected=True)


def unready_members(omni: OmniClient, cluster: str) -> list[WaitingFor]:
    """Return the machines that a cluster names and that are not ready in it."""
    statuses = {item.id: item for item in find_labelled(omni, types.CLUSTER_MACHINE_STATUSES, LABEL_CLUSTER, cluster)}
    named = {item.id for item in find_labelled(omni, types.MACHINE_SET_NODES, LABEL_CLUSTER, cluster)}
    waiting = []
    for machine in sorted({*statuses, *named}):
        status = statuses.get(machine)
        if status is not None and status.spec.get("ready"):
            continue
        connected = is_connected(omni, machine)
        reason = f"It is not ready: {stage_of(status)}." if status else "Omni has not made it a member yet."
        waiting.append(WaitingFor(machine, reason if connected else "Omni cannot reach it.", connected=connected))
        if len(waiting) == MOST_NAMED:
            break
    return waiting


def unreachable(waiting: Sequence[WaitingFor]) -> list[str]:
    """Return the ids of the machines that Omni cannot reach."""
    return [item.machine for item in waiting if item.connected is False]


def with_unreachable(progress: str, waiting: Sequence[WaitingFor]) -> str:
    """Return an operation's progress, followed by the machines that Omni cannot reach, if there are any."""
    machines = unreachable(waiting)
    if not machines:
        return progress
    return f"{progress.rstrip('.')}. Omni cannot reach {len(machines)} of its machines: {', '.join(machines[:3])}."


def hint_for_unreachable(waiting: Sequence[WaitingFor], force: str) -> str:
    """Return a hint for machines that Omni cannot reach; empty if there are none.

    ``force`` is the request that continues without them.
    """
    machines = unreachable(waiting)
    if not machines:
        return ""
    urls = ", ".join(object_url("machines", machine) for machine in machines[:3])
    more = f" and {len(machines) - 3} more" if len(machines) > 3 else ""
    return (
        f"Omni cannot reach {urls}{more}. Start and connect what is to be wiped; Omni then goes on by itself."
        f" Or {force} to remove it from Omni without wiping it."
    )
