"""The action reset: a machine leaves its cluster and is wiped.

Omni gives its callers Talos's operator role at most, with which Talos refuses a reset. For a member, its node is
removed from the machine set instead: Omni then resets the machine itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import Operation, Problem, Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import Action, DryRunResult, problem_for
from omni_gateway.sdk.adapters import object_url
from omni_gateway.sdk.clusters import cluster_lock, quorum
from omni_gateway.sdk.omni import label_names, omni_errors, types
from resources.machine import boot_evidence, lock, reset_operation
from resources.machine.adapter import MachineAdapter
from resources.machine.join import Machine
from resources.machine.power import ask, connected
from resources.machine.reset_operation import read_reset

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
    before = boot_evidence.mark(adapter.omni, id)
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


RESET = Action(
    "reset",
    role=Role.OPERATOR,
    summary="Take the machine out of its cluster and wipe it",
    body=MachineResetActionSchema,
    example={"force": False},
    operation=reset_operation.RESET,
    description="A member's node is taken out of its machine set, and Omni then resets the machine; a control plane"
    " needs `force`, a locked machine or cluster is a 409. A free machine's Talos is asked to reset; it refuses"
    " callers that come through Omni (403).",
    run=reset,
)
