"""The operation of a machine's reset: out of its cluster, wiped, and back in maintenance mode."""

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
    Stage,
    State,
    WaitingFor,
    stages_in_order,
    unknown_after,
)
from omni_gateway.sdk.adapters import find, object_url, resources_of
from omni_gateway.sdk.clusters import member_waits
from omni_gateway.sdk.omni import label_names, types
from resources.machine import boot_evidence
from resources.machine.operations import make
from resources.machine.power_operations import BOUND_SECONDS, hint_for

KIND = "machine-reset"


def read_reset(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a reset; 404 for a member that is not being taken out of its cluster.

    The id of a free machine's reset holds the boot that it was ordered in; a member's is the machine's id.

    ``succeeded`` needs a machine that exists, is free and in maintenance mode, in which a wiped machine comes back. A
    machine removed from Omni leaves its cluster without being wiped, so that is ``failed``; for one that does not exist
    (any more) Omni has no record of a wipe, so that is ``unknown``.
    """
    if boot_evidence.MARK in id:
        return _read_free(omni, id)
    status, link = find(omni, types.MACHINE_STATUSES, id), find(omni, types.LINKS, id)
    node, member = find(omni, types.MACHINE_SET_NODES, id), find(omni, types.CLUSTER_MACHINES, id)
    cluster = _cluster_of(status, node, member)
    in_cluster = node is not None or member is not None or bool(cluster)
    if link is not None and link.tearing_down:
        return _removed(id, in_cluster=in_cluster, cluster=cluster)
    if status is None:
        return _gone(id)
    if node is not None and not node.tearing_down:
        raise Problem(404, "not-found", f"Machine {id!r} is not being taken out of its cluster.")
    if node is not None and member is None:
        return _left(id, node, cluster)
    if in_cluster:
        return _leaving(omni, id, cluster)
    return _out(omni, id, status)


def _gone(id: str) -> Operation:
    text = "There is no such machine (any more), and Omni keeps no record of a wipe."
    hint = "Look into the audit for when it was removed, and at the machine itself; wipe it by hand when in doubt."
    return replace(make(KIND, id, id, "unknown", text), hint=hint, stages=_stages(False, "unknown"))


def _removed(id: str, *, in_cluster: bool, cluster: str) -> Operation:
    hint = f"Wipe it by hand when in doubt. How its removal is: GET {object_url('operations', 'machine-destroy', id)}."
    if in_cluster:
        text = "The machine is being removed from Omni before it was wiped."
        operation = make(KIND, id, id, "failed", text, {"cluster": cluster})
        return replace(operation, hint=hint, stages=_stages(False, "failed"))
    text = "The machine is being removed from Omni; nothing tells whether it was wiped before."
    return replace(make(KIND, id, id, "unknown", text), hint=hint, stages=_stages(True, "unknown"))


def _leaving(omni: OmniClient, id: str, cluster: str) -> Operation:
    stage = member_waits.stage_of(find(omni, types.CLUSTER_MACHINE_STATUSES, id))
    waiting = [member_waits.leaving_member(omni, id)]
    progress = f"It is leaving its cluster: {stage}."
    if member_waits.unreachable(waiting):
        progress += " Omni cannot reach it, and so cannot wipe it."
    return replace(
        make(KIND, id, id, "running", progress, {"stage": stage, "cluster": cluster}),
        stages=_stages(False, "running"),
        waiting_for=waiting,
        hint=member_waits.hint_for_unreachable(waiting, f"DELETE {object_url('machines', id)}?force=true"),
    )


def _left(id: str, node: Resource, cluster: str) -> Operation:
    """Return the operation of a wiped machine that is not free yet, because its node still exists."""
    held = f"held by {', '.join(sorted(node.finalizers))}" if node.finalizers else "held by no controller"
    progress = f"It has left its cluster; its machine set node remains, {held}."
    hint = "If it stays so, send the reset again: an older Omni does not finish it by itself."
    return replace(
        make(KIND, id, id, "running", progress, {"cluster": cluster, "finalizers": list(node.finalizers)}),
        stages=_stages(False, "running"),
        hint="" if node.finalizers else hint,
    )


def _out(omni: OmniClient, id: str, status: Resource) -> Operation:
    if status.spec.get("connected") and status.spec.get("maintenance"):
        done = make(KIND, id, id, "succeeded", "It is in no cluster, and waits for a configuration.")
        return replace(done, stages=_stages(True, "succeeded"))
    running = make(KIND, id, id, "running", "It is in no cluster any more, and has not come back yet.")
    running = replace(running, stages=_stages(True, "running"))
    if member_waits.is_connected(omni, id):
        return running
    waiting = WaitingFor(id, "It is not connected to Omni.", connected=False)
    return replace(running, waiting_for=[waiting], hint=hint_for(id))


def _read_free(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a free machine's reset: it halts, or comes back in another boot."""
    before = boot_evidence.parse(id)
    now = boot_evidence.signs(omni, before)
    state: State = "succeeded" if now.back else "running"
    progress = "It is back." if now.back else "It is down." if now.down else now.unchanged
    steps = [("ordered", True), ("down", now.down or now.rebooted), ("back", False)]
    operation = replace(
        make(KIND, id, before.machine, state, progress, {"evidence": now.evidence}),
        started=before.started,
        stages=stages_in_order(steps, state),
    )
    return unknown_after(operation, BOUND_SECONDS, hint_for(before.machine))


def _stages(out: bool, state: State) -> tuple[Stage, ...]:
    return stages_in_order([("out of its cluster", out), ("back in maintenance mode", False)], state)


def _cluster_of(status: Resource | None, node: Resource | None, member: Resource | None) -> str:
    labels = [part.labels.get(label_names.LABEL_CLUSTER, "") for part in (node, member) if part is not None]
    reported = str(status.spec.get("cluster", "")) if status else ""
    return next(filter(None, [reported, *labels]), "")


def _resets(omni: OmniClient) -> Iterator[Operation]:
    """Return the resets under way: a machine without its node is still a member until it is wiped."""
    for member in resources_of(omni.resources.list(types.CLUSTER_MACHINES)):
        if member.tearing_down:
            yield read_reset(omni, member.id)


RESET = OperationKind(
    KIND,
    read_reset,
    "A machine leaving its cluster, until it is in maintenance mode",
    boot_evidence.machine_of,
    under_way=_resets,
)
