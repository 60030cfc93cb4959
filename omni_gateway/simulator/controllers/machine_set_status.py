"""The state of a machine set: its phase, its counts, and whether it is as it should be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id, by_label
from omni_gateway.simulator.controllers.machine_set_nodes import set_of_machine
from omni_gateway.simulator.controllers.membership import hardware, role_of
from omni_gateway.simulator.controllers.rollout import locked, upgrade_pending
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE, UPGRADE_STEPS, Hardware
from omni_gateway.simulator.state.resource import Resource

SCALING_UP, SCALING_DOWN, RUNNING, DESTROYING, FAILED, RECONFIGURING, UPGRADING = range(1, 8)


@dataclass
class _Counts:
    requested: int = 0
    total: int = 0
    healthy: int = 0
    connected: int = 0
    leaving: int = 0
    outdated: int = 0
    locked: int = 0
    upgrading: int = 0
    hashes: list[str] = field(default_factory=list)


class MachineSetStatus(Controller):
    """Key: a machine set's id."""

    name = "MachineSetStatusController"
    inputs = {
        kinds.MACHINE_SET: by_id,
        kinds.MACHINE_SET_NODE: by_label(labels.MACHINE_SET),
        kinds.CLUSTER_MACHINE: by_label(labels.MACHINE_SET),
        kinds.CLUSTER_MACHINE_STATUS: by_label(labels.MACHINE_SET),
        kinds.WANTED_CONFIG: by_label(labels.MACHINE_SET),
        kinds.CLUSTER_MACHINE_TALOS_VERSION: set_of_machine,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Count, and name the phase; a set that is gone has no status."""
        machine_set = ctx.find(kinds.MACHINE_SET, key)
        if machine_set is None:
            ctx.destroy(kinds.MACHINE_SET_STATUS, key)
            return
        counts = self._count(ctx, machine_set)
        phase = _phase(machine_set, counts)
        spec: Spec = {
            "phase": phase,
            "ready": phase == RUNNING and counts.healthy >= counts.requested,
            "error": "a control plane needs at least one machine" if phase == FAILED else "",
            "machines": {
                "total": counts.total,
                "healthy": counts.healthy,
                "connected": counts.connected,
                "requested": counts.requested,
            },
            "config_hash": hashlib.sha256("".join(counts.hashes).encode()).hexdigest() if counts.hashes else "",
            "locked_updates": counts.locked,
        }
        allocation = allocation_of(machine_set)
        if allocation:
            spec["machine_allocation"] = allocation
        ctx.write(kinds.MACHINE_SET_STATUS, key, spec, machine_set.labels, finalizers=("ClusterStatusController",))

    def _count(self, ctx: Context, machine_set: Resource) -> _Counts:
        nodes = {
            res.id for res in ctx.all(kinds.MACHINE_SET_NODE, machine_set=machine_set.id) if res.phase == "running"
        }
        counts = _Counts(requested=max(len(nodes), _static_count(machine_set)))
        members = ctx.all(kinds.CLUSTER_MACHINE, machine_set=machine_set.id)
        for member in members:
            hw = hardware(ctx, member.id)
            if hw is not None:
                self._count_member(ctx, counts, member, hw)
        if _keeps_last(machine_set, members):
            counts.requested = max(counts.requested, 1)
        return counts

    def _count_member(self, ctx: Context, counts: _Counts, member: Resource, hw: Hardware) -> None:
        status = ctx.find(kinds.CLUSTER_MACHINE_STATUS, member.id)
        wanted = ctx.find(kinds.WANTED_CONFIG, member.id)
        counts.total += 1
        counts.connected += hw.connected
        counts.leaving += member.phase != "running"
        counts.healthy += _healthy(status)
        if wanted is not None:
            counts.hashes.append(wanted.spec["sha"])
        behind = wanted is None or wanted.spec["sha"] != hw.config_sha
        newer_image = bool(hw.cluster) and upgrade_pending(ctx, member.id, hw)
        if (behind or newer_image) and hw.cluster and locked(ctx, member.id):
            counts.locked += 1
        elif newer_image or hw.step in UPGRADE_STEPS:
            counts.upgrading += 1
        elif behind:
            counts.outdated += 1


def allocation_of(machine_set: Resource) -> Spec:
    """Return a set's machine allocation, also under its deprecated name; empty when its nodes are made by hand."""
    return machine_set.spec.get("machine_allocation") or machine_set.spec.get("machine_class") or {}


def _static_count(machine_set: Resource) -> int:
    allocation = allocation_of(machine_set)
    return int(allocation.get("machine_count") or 0) if not allocation.get("allocation_type") else 0


def _healthy(status: Resource | None) -> bool:
    # A machine that waits for its removal (the last control plane does, for ever) is as healthy as it was.
    return status is not None and bool(status.spec.get("ready") or status.spec.get("stage") == 9)


def _keeps_last(machine_set: Resource, members: list[Resource]) -> bool:
    return machine_set.phase == "running" and role_of(machine_set) == CONTROL_PLANE and len(members) == 1


def _phase(machine_set: Resource, counts: _Counts) -> int:
    if machine_set.phase != "running":
        return DESTROYING
    if role_of(machine_set) == CONTROL_PLANE and not counts.requested and not counts.total:
        return FAILED
    if counts.total - counts.leaving > counts.requested or counts.leaving:
        return SCALING_DOWN
    if counts.total < counts.requested:
        return SCALING_UP
    if counts.upgrading:
        return UPGRADING
    return RECONFIGURING if counts.outdated else RUNNING
