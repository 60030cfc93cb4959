"""The image's side of a machine: schematic, extensions, kernel arguments, install disk, and upgrades of it."""

from __future__ import annotations

from typing import Any

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE, UPGRADE_STEPS
from omni_gateway.simulator.machines.projections.view import MachineView, Projection, Said
from omni_gateway.simulator.network import FACTORY_HOST

_UPGRADING, _UP_TO_DATE = 2, 3
_EXTENSION_INSTALLED, _EXTENSION_INSTALLING, _EXTENSION_REMOVING = 0, 1, 2
_KERNEL_ARGS_SINCE = (1, 12)


def _member_labels(view: MachineView, *, machine_set: bool = True, role: bool = False) -> dict[str, str]:
    member = view.member
    if member is None:
        return {}
    found = {labels.CLUSTER: member.cluster}
    if machine_set:
        found[labels.MACHINE_SET] = member.machine_set
    if role:
        found[labels.ROLE_CONTROL_PLANE if member.role == CONTROL_PLANE else labels.ROLE_WORKER] = ""
    return found


def _schematic_configuration(view: MachineView) -> Said:
    spec = {"schematic_id": view.schematic_after, "talos_version": view.talos_after}
    return Said(spec, _member_labels(view, machine_set=False))


def _extensions_status(view: MachineView) -> Said:
    present, wanted = set(view.hardware.extensions), set(view.extensions_after)
    items = []
    for name in sorted(present | wanted):
        phase = _EXTENSION_INSTALLED
        if name not in present:
            phase = _EXTENSION_INSTALLING
        elif name not in wanted:
            phase = _EXTENSION_REMOVING
        items.append({"name": name, "phase": phase})
    spec = {"extensions": items, "talos_version": "v" + view.hardware.talos_version}
    return Said(spec, _member_labels(view, role=True))


def _extensions(view: MachineView) -> Said | None:
    if view.wanted_extensions is None:
        return None
    return Said({"extensions": list(view.wanted_extensions)}, _member_labels(view))


def kernel_args_unmet(talos_version: str) -> list[str]:
    """Return why a machine's kernel arguments cannot be changed; empty when they can."""
    major, minor, *_ = talos_version.split(".")
    if (int(major), int(minor)) >= _KERNEL_ARGS_SINCE:
        return []
    return ["the machine does not boot a unified kernel image, and its Talos cannot change the command line of GRUB"]


def _kernel_args_status(view: MachineView) -> Said:
    hw = view.hardware
    spec: dict[str, Any] = {
        "args": list(view.wanted_kernel_args or ()),
        "current_args": hw.extra_kernel_args,
        "unmet_conditions": kernel_args_unmet(hw.talos_version),
        "current_cmdline": " ".join(view.kernel_args),
    }
    return Said(spec, _member_labels(view))


def _gen_options(view: MachineView) -> Said:
    image = {
        "talos_version": view.talos_after,
        "schematic_id": view.schematic_after,
        "schematic_initialized": True,
        "platform": view.hardware.shape["platform_metadata"]["platform"],
        "security_state": {},
        "image_factory_host": FACTORY_HOST,
    }
    return Said({"install_image": image})


def _install_disk(view: MachineView) -> Said:
    devices = view.hardware.shape["blockdevices"]
    disk = view.wanted_disk or devices[0]["dev_path"]
    message = f"Talos will be installed on {disk}"
    if view.hardware.installed:
        disk = view.hardware.disk
        message = f"Talos is installed on {disk}"
    disks = [{"dev_path": device["dev_path"], "selectable": True} for device in devices]
    return Said({"disk": disk, "message": message, "disks": disks}, _member_labels(view, machine_set=False))


def _upgrade_status(view: MachineView) -> Said:
    hw = view.hardware
    same = view.schematic_after == view.schematic_id and view.talos_after == hw.talos_version
    busy = hw.step in UPGRADE_STEPS or not same
    spec = {
        "schematic_id": view.schematic_after,
        "talos_version": "v" + view.talos_after,
        "current_schematic_id": view.schematic_id,
        "current_talos_version": "v" + hw.talos_version,
        "phase": _UPGRADING if busy else _UP_TO_DATE,
        "status": "the machine is being upgraded" if busy else "nothing to upgrade",
        "is_maintenance": not hw.cluster and view.member is None,
    }
    return Said(spec, _member_labels(view))


PROJECTIONS = (
    Projection(kinds.SCHEMATIC_CONFIGURATION, "SchematicConfigurationController", _schematic_configuration),
    Projection(kinds.MACHINE_EXTENSIONS_STATUS, "SchematicConfigurationController", _extensions_status),
    Projection(kinds.MACHINE_EXTENSIONS, "MachineExtensionsController", _extensions),
    Projection(kinds.KERNEL_ARGS_STATUS, "KernelArgsStatusController", _kernel_args_status),
    Projection(kinds.MACHINE_CONFIG_GEN_OPTIONS, "MachineConfigGenOptionsController", _gen_options),
    Projection(kinds.MACHINE_INSTALL_DISK_STATUS, "MachineInstallDiskStatusController", _install_disk),
    Projection(kinds.MACHINE_UPGRADE_STATUS, "MachineUpgradeStatusController", _upgrade_status),
)
