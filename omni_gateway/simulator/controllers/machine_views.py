"""Collects the state of a machine into the view that its projections are computed from."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context
from omni_gateway.simulator.controllers.membership import membership, membership_of_node
from omni_gateway.simulator.machines.hardware import Hardware
from omni_gateway.simulator.machines.projections.images import kernel_args_unmet
from omni_gateway.simulator.machines.projections.view import MachineView, Membership
from omni_gateway.simulator.state.resource import Resource


def extensions_for(ctx: Context, member: Membership, machine_id: str) -> list[str] | None:
    """Return the extensions that a machine should have, or None when no configuration speaks of it.

    The most specific level wins entirely (machine, then set, then cluster); within a level the highest id.
    """
    best: tuple[int, str] | None = None
    wanted: list[str] | None = None
    related = False
    for res in ctx.all(kinds.EXTENSIONS_CONFIGURATION, cluster=member.cluster):
        if res.phase != "running":
            continue
        related = related or _related(res, member, machine_id)
        level = _level(res, member, machine_id)
        if level and (best is None or (level, res.id) > best):
            best, wanted = (level, res.id), sorted(set(map(_full_name, res.spec.get("extensions", []))))
    return wanted if related else None


def _related(res: Resource, member: Membership, machine_id: str) -> bool:
    """Whether a configuration makes Omni look at a machine: by its most specific label alone."""
    if labels.CLUSTER_MACHINE in res.labels:
        return res.labels[labels.CLUSTER_MACHINE] == machine_id
    return res.labels.get(labels.MACHINE_SET, member.machine_set) == member.machine_set


def _level(res: Resource, member: Membership, machine_id: str) -> int:
    """Return how specific a configuration is for a machine that Omni looks at; 0 when it is not for it."""
    if res.labels.get(labels.CLUSTER_MACHINE) == machine_id:
        return 3
    if res.labels.get(labels.MACHINE_SET) == member.machine_set:
        return 2
    return 0 if labels.CLUSTER_MACHINE in res.labels or labels.MACHINE_SET in res.labels else 1


def _full_name(name: str) -> str:
    return name if "/" in name else f"siderolabs/{name}"


def view_of(ctx: Context, machine_id: str) -> MachineView | None:
    """Return the view of a machine, or None when it has no link or is no machine of ours."""
    link = ctx.running(kinds.LINK, machine_id)
    emulated = ctx.find(kinds.EMULATED_MACHINE, machine_id)
    if link is None or emulated is None:
        return None
    view = MachineView(machine_id, link, Hardware.of(emulated))
    user = ctx.running(kinds.MACHINE_LABELS, machine_id)
    view.user_labels = user.labels if user else {}
    args = ctx.running(kinds.KERNEL_ARGS, machine_id)
    if args is not None and not kernel_args_unmet(view.hardware.talos_version):
        view.wanted_kernel_args = args.spec.get("args", [])
    disk = ctx.running(kinds.MACHINE_INSTALL_DISK_CONFIG, machine_id)
    view.wanted_disk = disk.spec.get("disk", "") if disk else ""
    member, node = ctx.find(kinds.CLUSTER_MACHINE, machine_id), ctx.find(kinds.MACHINE_SET_NODE, machine_id)
    view.node = membership_of_node(node) if node is not None else None
    if member is not None:
        view.member = membership(member)
        view.wanted_extensions = extensions_for(ctx, view.member, machine_id)
        target = ctx.find(kinds.CLUSTER_MACHINE_TALOS_VERSION, machine_id)
        view.wanted_talos = target.spec["talos_version"] if target else None
    return view
