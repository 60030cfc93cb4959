"""Talos upgrades: control planes before workers, one machine of a set at a time, while the cluster is ready.

The wanted version of a machine is its ClusterMachineTalosVersion; this controller moves those one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id, by_label
from omni_gateway.simulator.controllers.machine_views import view_of
from omni_gateway.simulator.controllers.membership import role_of
from omni_gateway.simulator.controllers.rollout import locked, max_parallelism
from omni_gateway.simulator.controllers.versions import talos_candidates
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE, UPGRADE_STEPS
from omni_gateway.simulator.machines.projections.view import MachineView
from omni_gateway.simulator.state.resource import Resource

UPGRADING, DONE, FAILED, REVERTING, UPDATING_SCHEMATICS = 1, 2, 3, 4, 5


@dataclass(frozen=True)
class _Member:
    resource: Resource
    view: MachineView
    target: Resource | None

    def outdated(self, version: str) -> bool:
        """Whether the machine does not run the wanted image."""
        hw = self.view.hardware
        if not hw.cluster:
            return False
        return hw.talos_version != version or self.view.schematic_id != self.view.schematic_after

    @property
    def moving(self) -> bool:
        """Whether the machine is on its way to its wanted version and not idle yet."""
        hw = self.view.hardware
        if self.target is None or not hw.cluster:
            return False
        spec = self.target.spec
        arrived = spec["talos_version"] == hw.talos_version and spec["schematic_id"] == self.view.schematic_id
        return not arrived or hw.step in UPGRADE_STEPS


class TalosUpgrade(Controller):
    """Key: a cluster's id."""

    name = "TalosUpgradeStatusController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.CLUSTER_STATUS: by_id,
        kinds.CLUSTER_CONFIG_VERSION: by_id,
        kinds.MACHINE_SET: by_label(labels.CLUSTER),
        kinds.CLUSTER_MACHINE: by_label(labels.CLUSTER),
        kinds.CLUSTER_MACHINE_STATUS: by_label(labels.CLUSTER),
        kinds.SCHEMATIC_CONFIGURATION: by_label(labels.CLUSTER),
        kinds.MACHINE_UPGRADE_STATUS: by_label(labels.CLUSTER),
        kinds.MACHINE_SET_NODE: by_label(labels.CLUSTER),
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Give new machines their version, write the upgrade's status, and let the next machine go."""
        cluster = ctx.running(kinds.CLUSTER, key)
        if cluster is None:
            ctx.destroy(kinds.TALOS_UPGRADE_STATUS, key)
            ctx.destroy(kinds.UPGRADE_ROLLOUT, key)
            return
        wanted = cluster.spec["talos_version"]
        members = self._members(ctx, key)
        for member in members:
            if member.target is None or not member.view.hardware.cluster:
                self._aim(ctx, member, wanted)
        outdated = [member for member in members if member.outdated(wanted)]
        is_locked = labels.CLUSTER_LOCKED in cluster.annotations
        current = ctx.find(kinds.TALOS_UPGRADE_STATUS, key)
        last = current.spec["last_upgrade_version"] if current else wanted
        quota = {
            res.id: max_parallelism(res, "upgrade_strategy_config") for res in ctx.all(kinds.MACHINE_SET, cluster=key)
        }
        ctx.write(kinds.UPGRADE_ROLLOUT, key, {"machine_sets_upgrade_quota": quota})
        if not outdated and not any(member.moving for member in members):
            spec = self._at_rest(ctx, cluster, wanted)
        else:
            spec = self._under_way(ctx, cluster, members, outdated, last, quota if not is_locked else {})
        ctx.write(kinds.TALOS_UPGRADE_STATUS, key, spec)

    def _members(self, ctx: Context, cluster: str) -> list[_Member]:
        found = []
        for res in ctx.all(kinds.CLUSTER_MACHINE, cluster=cluster):
            view = view_of(ctx, res.id)
            if view is not None and res.phase == "running":
                found.append(_Member(res, view, ctx.find(kinds.CLUSTER_MACHINE_TALOS_VERSION, res.id)))
        return sorted(found, key=lambda member: (role_of(member.resource) != CONTROL_PLANE, member.resource.id))

    def _aim(self, ctx: Context, member: _Member, version: str) -> None:
        spec = {"talos_version": version, "schematic_id": member.view.schematic_after}
        own = {labels.CLUSTER: member.resource.labels[labels.CLUSTER]}
        ctx.write(kinds.CLUSTER_MACHINE_TALOS_VERSION, member.resource.id, spec, own)

    def _at_rest(self, ctx: Context, cluster: Resource, wanted: str) -> Spec:
        first = ctx.find(kinds.CLUSTER_CONFIG_VERSION, cluster.id)
        initial = str(first.spec["version"]).removeprefix("v") if first else wanted
        versions = talos_candidates(ctx, wanted, initial, cluster.spec["kubernetes_version"])
        return {"phase": DONE, "last_upgrade_version": wanted, "upgrade_versions": versions}

    def _under_way(
        self,
        ctx: Context,
        cluster: Resource,
        members: list[_Member],
        outdated: list[_Member],
        last: str,
        quota: dict[str, int],
    ) -> Spec:
        wanted = cluster.spec["talos_version"]
        versions = any(member.view.hardware.talos_version != wanted for member in outdated)
        step = self._next(ctx, cluster, members, outdated, quota)
        phase = UPGRADING
        if wanted == last:
            phase = REVERTING if versions else UPDATING_SCHEMATICS
        previous = ctx.find(kinds.TALOS_UPGRADE_STATUS, cluster.id)
        if phase == UPDATING_SCHEMATICS and previous is not None and previous.spec["phase"] in (UPGRADING, REVERTING):
            phase = previous.spec["phase"]
        done = len(members) - len(outdated)
        return {
            "phase": phase,
            "step": step,
            "status": f"{done} of {len(members)} machines are up to date",
            "last_upgrade_version": last,
            "current_upgrade_version": wanted,
        }

    def _next(
        self,
        ctx: Context,
        cluster: Resource,
        members: list[_Member],
        outdated: list[_Member],
        quota: dict[str, int],
    ) -> str:
        """Start the next machine if one may start; return the step of the upgrade."""
        moving = [member for member in members if member.moving]
        if moving:
            return "upgrading " + ", ".join(member.resource.id for member in moving)
        if not quota:
            return "waiting for the cluster to be unlocked"
        free = [member for member in outdated if not locked(ctx, member.resource.id)]
        if not free:
            return "waiting for locked machines to be unlocked"
        status = ctx.find(kinds.CLUSTER_STATUS, cluster.id)
        if status is None or not status.spec.get("ready"):
            return "waiting for the cluster to be ready"
        first_set = free[0].resource.labels[labels.MACHINE_SET]
        same_set = [member for member in free if member.resource.labels[labels.MACHINE_SET] == first_set]
        for member in same_set[: quota.get(first_set, 1)]:
            self._aim(ctx, member, cluster.spec["talos_version"])
        return "upgrading " + first_set
