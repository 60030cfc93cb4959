"""Rollout of configuration: brings a changed configuration to the machines of a set, a few at a time.

A locked machine keeps its pending update until it is unlocked.
"""

from __future__ import annotations

import difflib
from datetime import UTC, datetime

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id, by_label
from omni_gateway.simulator.controllers.machine_set_nodes import set_of_machine
from omni_gateway.simulator.controllers.membership import hardware, member_labels
from omni_gateway.simulator.machines.hardware import Hardware, Step, begin
from omni_gateway.simulator.state.resource import Resource

APPLY_SECONDS = 0.3
_MAX_DIFF_CHARACTERS = 256 * 1024


class Rollout(Controller):
    """Key: a machine set's id."""

    name = "MachineSetStatusController"
    inputs = {
        kinds.MACHINE_SET: by_id,
        kinds.WANTED_CONFIG: by_label(labels.MACHINE_SET),
        kinds.CLUSTER_MACHINE_CONFIG_STATUS: by_label(labels.MACHINE_SET),
        kinds.CLUSTER_MACHINE_TALOS_VERSION: set_of_machine,
        kinds.EMULATED_MACHINE: set_of_machine,
        kinds.MACHINE_SET_NODE: by_label(labels.MACHINE_SET),
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Write the pending update of each machine, and apply the next ones."""
        machine_set = ctx.running(kinds.MACHINE_SET, key)
        if machine_set is None:
            return
        free = max_parallelism(machine_set, "update_strategy_config")
        ready: list[tuple[str, Resource]] = []
        for member in ctx.all(kinds.CLUSTER_MACHINE, machine_set=key):
            hw = hardware(ctx, member.id)
            if hw is None or not hw.cluster or member.phase != "running":
                continue
            if hw.steps:
                free -= 1
            wanted = self._show_pending(ctx, member, hw)
            if (
                wanted is not None
                and hw.idle
                and not upgrade_pending(ctx, member.id, hw)
                and not locked(ctx, member.id)
            ):
                ready.append((member.id, wanted))
        for machine_id, wanted in ready[: max(free, 0)]:
            self._apply(ctx, machine_id, wanted)

    def _show_pending(self, ctx: Context, member: Resource, hw: Hardware) -> Resource | None:
        """Write or remove the machine's pending update; return the configuration that it should get, if it differs."""
        wanted = ctx.find(kinds.WANTED_CONFIG, member.id)
        spec: dict[str, object] = {}
        target = ctx.find(kinds.CLUSTER_MACHINE_TALOS_VERSION, member.id)
        if target is not None and upgrade_pending(ctx, member.id, hw):
            spec["upgrade"] = {"from_version": hw.talos_version, "to_version": target.spec["talos_version"]}
        differs = wanted is not None and wanted.spec["sha"] != hw.config_sha
        if differs:
            spec["config_diff"] = _diff(ctx, member.id)
        if spec:
            ctx.write(kinds.MACHINE_PENDING_UPDATES, member.id, spec, member_labels(member))
        elif ctx.find(kinds.MACHINE_PENDING_UPDATES, member.id) is not None:
            self._record(ctx, member)
        return wanted if differs else None

    def _record(self, ctx: Context, member: Resource) -> None:
        """Replace a pending update that was applied with a MachineConfigDiff."""
        pending = ctx.find(kinds.MACHINE_PENDING_UPDATES, member.id)
        diff = pending.spec.get("config_diff") if pending else None
        if diff:
            when = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
            own = Context(ctx.store, "MachineConfigDiffController")
            own_labels = member_labels(member) | {labels.MACHINE: member.id}
            own.write(kinds.MACHINE_CONFIG_DIFF, f"{member.id}-{when}", {"diff": diff}, own_labels)
        ctx.destroy(kinds.MACHINE_PENDING_UPDATES, member.id)

    def _apply(self, ctx: Context, machine_id: str, wanted: Resource) -> None:
        made = {
            "config_sha": wanted.spec["sha"],
            "config_version": wanted.version,
            "components": wanted.spec["components"],
        }
        begin(ctx.store, machine_id, [Step("apply", APPLY_SECONDS, made, "applying configuration without a reboot")])


def locked(ctx: Context, machine_id: str) -> bool:
    """Return whether a machine's updates are held back by a lock on its node."""
    node = ctx.find(kinds.MACHINE_SET_NODE, machine_id)
    return node is not None and labels.LOCKED in node.annotations


def upgrade_pending(ctx: Context, machine_id: str, hw: Hardware) -> bool:
    """Return whether a machine is to run another image than it does; its configuration then waits for the image."""
    target = ctx.find(kinds.CLUSTER_MACHINE_TALOS_VERSION, machine_id)
    current = ctx.find(kinds.MACHINE_UPGRADE_STATUS, machine_id)
    if target is None or current is None:
        return False
    schematic = current.spec["current_schematic_id"]
    return bool(target.spec["talos_version"] != hw.talos_version or target.spec["schematic_id"] != schematic)


def max_parallelism(machine_set: Resource, config: str) -> int:
    """Return how many machines of a set may change at a time: one, unless the set allows more."""
    rolling = (machine_set.spec.get(config) or {}).get("rolling") or {}
    return max(int(rolling.get("max_parallelism") or 1), 1)


def _diff(ctx: Context, machine_id: str) -> str:
    before = ctx.find(kinds.CLUSTER_MACHINE_CONFIG_STATUS, machine_id)
    after = ctx.find(kinds.REDACTED_CLUSTER_MACHINE_CONFIG, machine_id)
    old = str(before.spec.get("redacted_current_machine_config", "")) if before else ""
    new = str(after.spec.get("data", "")) if after else ""
    text = "\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), "current", "wanted", lineterm=""))
    return text[:_MAX_DIFF_CHARACTERS]
