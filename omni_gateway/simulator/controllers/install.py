"""Installs machines that join a cluster, resets machines that leave one, upgrades machines in place."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping

from omni_gateway.simulator import kinds
from omni_gateway.simulator.controller_runtime.context import Context, Controller, by_id
from omni_gateway.simulator.controllers.discovery import tell_of_leaver
from omni_gateway.simulator.controllers.machine_set_nodes import FINALIZERS
from omni_gateway.simulator.controllers.machine_views import view_of
from omni_gateway.simulator.controllers.membership import hardware, role_of
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE, Hardware, Step, begin, set_fields
from omni_gateway.simulator.state.resource import Resource

INSTALL_SECONDS = {CONTROL_PLANE: 4.0}
WORKER_INSTALL_SECONDS = 8.0

_OWN_STEPS = ("reboot", "shutdown", "off", "power-on", "boot")

_OWN_RESOURCES = (
    (kinds.CLUSTER_MACHINE_STATUS, "ClusterMachineStatusController"),
    (kinds.CLUSTER_MACHINE_IDENTITY, "ClusterMachineIdentityController"),
    (kinds.CLUSTER_MACHINE_CONFIG_STATUS, "ClusterMachineConfigStatusController"),
    (kinds.CLUSTER_MACHINE_CONFIG_PATCHES, "ClusterMachineConfigPatchesController"),
    (kinds.REDACTED_CLUSTER_MACHINE_CONFIG, "RedactedClusterMachineConfigController"),
    (kinds.CLUSTER_MACHINE_TALOS_VERSION, "TalosUpgradeStatusController"),
    (kinds.MACHINE_PENDING_UPDATES, "MachineSetStatusController"),
    (kinds.WANTED_CONFIG, "ClusterMachineConfigController"),
)


class Install(Controller):
    """Key: a machine's id."""

    name = "ClusterMachineController"
    inputs = {
        kinds.EMULATED_MACHINE: by_id,
        kinds.CLUSTER_MACHINE: by_id,
        kinds.CLUSTER_MACHINE_TALOS_VERSION: by_id,
        kinds.WANTED_CONFIG: by_id,
        kinds.NODE_FORCE_DESTROY_REQUEST: by_id,
        kinds.LINK: by_id,
        kinds.KERNEL_ARGS: by_id,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Begin the installation, reset or upgrade that is due, when the machine is idle."""
        member = ctx.find(kinds.CLUSTER_MACHINE, key)
        hw = hardware(ctx, key)
        if member is not None and member.phase != "running":
            self._leave(ctx, member, hw)
        elif hw is not None and hw.idle:
            if member is not None and not hw.cluster:
                self._join(ctx, member, hw)
            else:
                self._upgrade(ctx, key, hw)

    def _join(self, ctx: Context, member: Resource, hw: Hardware) -> None:
        config = ctx.find(kinds.WANTED_CONFIG, member.id)
        target = ctx.find(kinds.CLUSTER_MACHINE_TALOS_VERSION, member.id)
        view = view_of(ctx, member.id)
        disk = ctx.find(kinds.MACHINE_INSTALL_DISK_STATUS, member.id)
        if config is None or target is None or disk is None or view is None or view.member is None:
            return
        role = role_of(member)
        made = {
            "installed": True,
            "disk": hw.disk if hw.installed else disk.spec["disk"],
            "cluster": view.member.cluster,
            "role": role,
            "talos_version": target.spec["talos_version"],
            "extensions": list(view.extensions_after),
            "extra_kernel_args": list(
                hw.extra_kernel_args if view.wanted_kernel_args is None else view.wanted_kernel_args
            ),
            "config_sha": config.spec["sha"],
            "config_version": config.version,
            "components": config.spec["components"],
            "boot_id": str(uuid.uuid4()),
            "node_identity": hashlib.sha256(uuid.uuid4().bytes).hexdigest()[:43],
            "etcd_member_id": uuid.uuid4().int >> 65 if role == CONTROL_PLANE else 0,
        }
        seconds = INSTALL_SECONDS.get(role, WORKER_INSTALL_SECONDS)
        begin(ctx.store, member.id, [Step("install", seconds, made, "applying configuration, installing Talos")])

    def _leave(self, ctx: Context, member: Resource, hw: Hardware | None) -> None:
        if hw is None or (not hw.cluster and hw.step != "install"):
            return self._forget(ctx, member)
        forced = ctx.find(kinds.NODE_FORCE_DESTROY_REQUEST, member.id) or not ctx.running(kinds.LINK, member.id)
        if forced and hw.step not in ("leave", "reset"):
            # Steps of the machine itself go on; those that its cluster started are dropped.
            left = [step for step in hw.steps if step["kind"] in _OWN_STEPS]
            ends = hw.ends if left[:1] == hw.steps[:1] else 0.0
            tell_of_leaver(ctx, hw)
            set_fields(ctx.store, member.id, _LEFT | {"steps": left, "ends": ends})
        elif hw.idle:
            tell_of_leaver(ctx, hw)
            steps = [Step("leave", 0.3, {}, "leaving the cluster")]
            begin(ctx.store, member.id, [*steps, Step("reset", 1.1, dict(_LEFT), "resetting: wiping the system disk")])
        return None

    def _forget(self, ctx: Context, member: Resource) -> None:
        for kind, owner in _OWN_RESOURCES:
            ctx.destroy(kind, member.id, owner=owner)
        for diff in ctx.all(kinds.MACHINE_CONFIG_DIFF, machine=member.id):
            ctx.destroy(diff.type, diff.id, owner=diff.owner)
        ctx.destroy(
            kinds.CONFIG_PATCH, f"900-cm-{member.id}-kubernetes-upgrade", owner="KubernetesUpgradeStatusController"
        )
        force = ctx.find(kinds.NODE_FORCE_DESTROY_REQUEST, member.id)
        if force is not None:
            ctx.teardown(force)
        ctx.release(member, *FINALIZERS)
        ctx.destroy(kinds.CLUSTER_MACHINE, member.id, owner="MachineSetStatusController")

    def _upgrade(self, ctx: Context, machine_id: str, hw: Hardware) -> None:
        """Take the machine to the image that is wanted; when it may be wanted is for `talos_upgrade` to decide."""
        view = view_of(ctx, machine_id)
        if view is None:
            return
        target = ctx.find(kinds.CLUSTER_MACHINE_TALOS_VERSION, machine_id)
        if view.member is not None and (target is None or target.spec["schematic_id"] != view.schematic_after):
            return
        if view.talos_after == hw.talos_version and view.schematic_after == view.schematic_id:
            return
        args = hw.extra_kernel_args if view.wanted_kernel_args is None else list(view.wanted_kernel_args)
        image = {
            "talos_version": view.talos_after,
            "extensions": list(view.extensions_after),
            "extra_kernel_args": args,
        }
        begin(ctx.store, machine_id, upgrade_steps(image, member=view.member is not None))


def upgrade_steps(image: Mapping[str, object], *, member: bool) -> list[Step]:
    """Return the steps of an upgrade: the new image shows first, then the machine reboots into it."""
    line = f"upgrading to Talos {image['talos_version']}"
    reboot = Step("upgrade-reboot", 2.1, {"boot_id": str(uuid.uuid4())}, "rebooting into the new image")
    if not member:
        return [Step("maintenance-upgrade", 1.5, dict(image), line), reboot]
    return [Step("prepare-upgrade", 0.3, dict(image), line), Step("upgrade", 1.2), reboot]


_LEFT: dict[str, object] = {
    "cluster": "",
    "role": 0,
    "config_sha": "",
    "config_version": 0,
    "components": {},
    "etcd_member_id": 0,
    "node_identity": "",
}
