"""The action reset: a machine leaves its cluster and is wiped.

Omni gives its callers Talos's operator role at most, with which Talos refuses a reset. For a member, its node is
removed from the machine set instead: Omni then resets the machine itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import OmniClient, Operation, OperationKind, Problem, Resource, Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import (
    Action,
    DryRunResult,
    Stage,
    State,
    WaitingFor,
    problem_for,
    stages_in_order,
    unknown_after,
)
from omni_gateway.sdk.adapters import find, object_url, resources_of
from omni_gateway.sdk.clusters import cluster_lock, member_waits, quorum
from omni_gateway.sdk.omni import label_names, omni_errors, types
from resources.machine.actions.boot_evidence import MARK, machine_of, mark, parse, signs
from resources.machine.actions.talos_call import ask, connected
from resources.machine.adapter import MachineAdapter
from resources.machine.join import Machine
from resources.machine.operation import BOUND_SECONDS, hint_for, machine_operation
from resources.machine.patch import lock

KIND = "machine-reset"
_MEMBER_LABELS = (
    label_names.LABEL_CLUSTER,
    label_names.LABEL_MACHINE_SET,
    f"{label_names.OWN_PREFIX}role-controlplane",
    f"{label_names.OWN_PREFIX}role-worker",
)


class MachineResetActionSchema(SpecSchema):
    """Options of a reset."""

    body_optional = True

    force = wire.Boolean(
        load_default=False, metadata={"description": "Needed for a control plane: its cluster may lose its quorum"}
    )
    graceful = wire.Boolean(
        load_default=True,
        metadata={"description": "Free machines only: leave etcd and Kubernetes first. For members Omni does this"},
    )
    reboot = wire.Boolean(
        load_default=True,
        metadata={"description": "Free machines only: start again afterwards, instead of halting"},
    )


def reset(adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Operation | DryRunResult:
    """Remove a member from its machine set, so that Omni wipes it; ask a free machine's Talos to reset."""
    machine = adapter.get(id)
    if not machine.cluster:
        return _reset_free(adapter, id, body, dry_run=dry_run)
    leaving = machine.node is None or machine.node.tearing_down
    if not leaving:
        _check_member(adapter, machine, force=body.get("force", False))
    if dry_run:
        return DryRunResult(machine, _free_again(machine))
    if machine.node is not None:
        _take_out(adapter, machine)
    return read_reset(adapter.omni, id)


def _check_member(adapter: MachineAdapter, machine: Machine, *, force: bool) -> None:
    if machine.is_control_plane and not force:
        raise quorum.control_plane_problem(machine.id, machine.cluster, '{"force": true}')
    if machine.node is not None and lock.is_locked(machine.node):
        url = object_url("machines", machine.id)
        raise Problem(
            409,
            "conflict",
            f"Machine {machine.id!r} is locked, and Omni does not remove locked machines from their sets.",
            hint=f'PATCH {url} with {{"maintenance": false}} first.',
        )
    cluster_lock.refuse_locked(adapter.omni, machine.cluster)


def _take_out(adapter: MachineAdapter, machine: Machine) -> None:
    try:
        adapter.omni.resources.remove(types.MACHINE_SET_NODES, machine.id)
    except omni_errors.NotFound:
        return
    except omni_errors.PermissionDenied as error:
        hint = "Omni itself chose this machine for its set: ask for fewer machines there, or destroy the set."
        raise problem_for(error, hint=hint) from error


def _free_again(machine: Machine) -> Machine:
    """Return the machine as it will be after the reset, for a dry run: in no cluster, without settings of its own."""
    removed = ("cluster", "role", "machine_set", "locked", "extensions")
    spec = {key: value for key, value in machine.spec.items() if key not in removed}
    labels = {key: value for key, value in machine.labels.items() if key not in _MEMBER_LABELS}
    return replace(machine, spec={**spec, "maintenance": True}, labels=labels)


def _reset_free(
    adapter: MachineAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Call Talos's reset; 403 is expected, since Talos wants its admin role for it."""
    machine = connected(adapter, id)
    if dry_run:
        return DryRunResult(machine, machine)
    before = mark(adapter.omni, id)
    graceful, reboot = body.get("graceful", True), body.get("reboot", True)
    try:
        ask(machine, lambda: adapter.omni.machines.reset(id, graceful=graceful, reboot=reboot))
    except omni_errors.PermissionDenied as error:
        hint = (
            "Talos wants its own admin role for this, which Omni gives no caller. A free machine has no cluster's data:"
            " boot it from an installation medium that wipes the disk, or let a cluster take it and leave it again."
        )
        raise problem_for(error, hint=hint) from error
    return read_reset(adapter.omni, before.text)


def read_reset(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a reset; 404 for a member that is not being taken out of its cluster.

    The id of a free machine's reset holds the boot that it was ordered in; a member's is the machine's id.

    ``succeeded`` needs a machine that exists, is free and in maintenance mode, in which a wiped machine comes back. A
    machine removed from Omni leaves its cluster without being wiped, so that is ``failed``; for one that does not exist
    (any more) Omni has no record of a wipe, so that is ``unknown``.
    """
    if MARK in id:
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
    return replace(machine_operation(KIND, id, id, "unknown", text), hint=hint, stages=_stages(False, "unknown"))


def _removed(id: str, *, in_cluster: bool, cluster: str) -> Operation:
    hint = f"Wipe it by hand when in doubt. How its removal is: GET {object_url('operations', 'machine-destroy', id)}."
    if in_cluster:
        text = "The machine is being removed from Omni before it was wiped."
        operation = machine_operation(KIND, id, id, "failed", text, {"cluster": cluster})
        return replace(operation, hint=hint, stages=_stages(False, "failed"))
    text = "The machine is being removed from Omni; nothing tells whether it was wiped before."
    return replace(machine_operation(KIND, id, id, "unknown", text), hint=hint, stages=_stages(True, "unknown"))


def _leaving(omni: OmniClient, id: str, cluster: str) -> Operation:
    stage = member_waits.stage_of(find(omni, types.CLUSTER_MACHINE_STATUSES, id))
    waiting = [member_waits.leaving_member(omni, id)]
    progress = f"It is leaving its cluster: {stage}."
    if member_waits.unreachable(waiting):
        progress += " Omni cannot reach it, and so cannot wipe it."
    return replace(
        machine_operation(KIND, id, id, "running", progress, {"stage": stage, "cluster": cluster}),
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
        machine_operation(KIND, id, id, "running", progress, {"cluster": cluster, "finalizers": list(node.finalizers)}),
        stages=_stages(False, "running"),
        hint="" if node.finalizers else hint,
    )


def _out(omni: OmniClient, id: str, status: Resource) -> Operation:
    if status.spec.get("connected") and status.spec.get("maintenance"):
        done = machine_operation(KIND, id, id, "succeeded", "It is in no cluster, and waits for a configuration.")
        return replace(done, stages=_stages(True, "succeeded"))
    running = machine_operation(KIND, id, id, "running", "It is in no cluster any more, and has not come back yet.")
    running = replace(running, stages=_stages(True, "running"))
    if member_waits.is_connected(omni, id):
        return running
    waiting = WaitingFor(id, "It is not connected to Omni.", connected=False)
    return replace(running, waiting_for=[waiting], hint=hint_for(id))


def _read_free(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a free machine's reset: it halts, or comes back in another boot."""
    before = parse(id)
    now = signs(omni, before)
    state: State = "succeeded" if now.back else "running"
    progress = "It is back." if now.back else "It is down." if now.down else now.unchanged
    steps = [("ordered", True), ("down", now.down or now.rebooted), ("back", False)]
    operation = replace(
        machine_operation(KIND, id, before.machine, state, progress, {"evidence": now.evidence}),
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


RESET = Action(
    "reset",
    role=Role.OPERATOR,
    summary="Take the machine out of its cluster and wipe it",
    body=MachineResetActionSchema,
    example={"force": False},
    operation=OperationKind(
        KIND,
        read_reset,
        "A machine leaving its cluster, until it is in maintenance mode",
        machine_of,
        under_way=_resets,
    ),
    description="A member's node is taken out of its machine set, and Omni then resets the machine; a control plane"
    " needs `force`, a locked machine or cluster is a 409. A free machine's Talos is asked to reset; it refuses"
    " callers that come through Omni (403).",
    run=reset,
)
