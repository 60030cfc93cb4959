"""The main view of a machine, MachineStatus, and its copies: labels, snapshot, and the entry for list views."""

from __future__ import annotations

from typing import Any

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE, TALOS_RUNNING, Hardware
from omni_gateway.simulator.machines.projections.view import MachineView, Projection, Said

_POWER_ON, _POWER_OFF = 2, 3


def _hardware_spec(hw: Hardware) -> dict[str, Any]:
    shape = hw.shape
    return {
        "processors": [shape["processor"]],
        "memory_modules": [{"size_mb": shape["memory_mb"], "description": shape["memory_description"]}],
        "blockdevices": shape["blockdevices"],
        "arch": shape["arch"],
    }


def _network_spec(hw: Hardware) -> dict[str, Any]:
    found: dict[str, Any] = {"hostname": hw.hostname} | hw.shape["network"]
    return found


def _schematic_spec(view: MachineView) -> dict[str, Any]:
    hw = view.hardware
    return {
        "extensions": hw.extensions,
        "initial_schematic": hw.shape["initial_schematic"],
        "kernel_args": view.kernel_args,
        "full_id": view.schematic_id,
        "raw": view.schematic_text,
        "initial_state": {"extensions": hw.initial_extensions},
    }


def status_spec(view: MachineView) -> dict[str, Any]:
    """Return the spec of a machine's MachineStatus."""
    hw, member = view.hardware, view.relation
    return {
        "talos_version": "v" + hw.talos_version,
        "hardware": _hardware_spec(hw),
        "network": _network_spec(hw),
        "management_address": hw.address,
        "connected": hw.connected,
        "maintenance": not hw.cluster,
        "cluster": member.cluster if member else "",
        "role": member.role if member else 0,
        "platform_metadata": hw.shape["platform_metadata"] | {"hostname": view.id},
        "schematic": _schematic_spec(view),
        "initial_talos_version": "v" + hw.initial_talos_version,
        "power_state": _POWER_ON if hw.power == "on" else _POWER_OFF,
        "security_state": {},
        "kernel_cmdline": " ".join(view.kernel_args),
        "talos_version_name": "Talos",
    }


def status_labels(view: MachineView) -> dict[str, str]:
    """Return the labels of a machine: the user's own, below those that Omni computes."""
    hw, member = view.hardware, view.relation
    found: dict[str, str] = dict(view.user_labels) | hw.shape["labels"]
    found[labels.TALOS_VERSION] = "v" + hw.talos_version
    if hw.connected:
        found |= {labels.CONNECTED: "", labels.READY_TO_USE: "", labels.REPORTING_EVENTS: ""}
    else:
        found[labels.DISCONNECTED] = ""
    if hw.installed:
        found[labels.INSTALLED] = ""
    if member is None:
        found[labels.AVAILABLE] = ""
    else:
        role = labels.ROLE_CONTROL_PLANE if member.role == CONTROL_PLANE else labels.ROLE_WORKER
        found |= {labels.CLUSTER: member.cluster, labels.MACHINE_SET: member.machine_set, role: ""}
    return found


_ANNOTATIONS = {labels.KERNEL_ARGS_INITIALIZED: "", labels.PLATFORM_TAGS_INITIALIZED: ""}


def _status(view: MachineView) -> Said:
    return Said(status_spec(view), status_labels(view), dict(_ANNOTATIONS))


def _status_labels(view: MachineView) -> Said:
    return Said({}, status_labels(view), dict(_ANNOTATIONS))


def snapshot_spec(view: MachineView) -> dict[str, Any]:
    """Return the spec of a machine's MachineStatusSnapshot: Talos's own words about itself."""
    hw = view.hardware
    ready = hw.talos_stage == TALOS_RUNNING
    spec: dict[str, Any] = {"machine_status": {"stage": hw.talos_stage, "status": {"ready": ready}}}
    return spec | ({"boot_id": hw.boot_id} if hw.tells_boot_id else {})


def _snapshot(view: MachineView) -> Said:
    return Said(snapshot_spec(view))


def _link(view: MachineView) -> Said:
    created = view.link.created
    spec = {
        "message_status": status_spec(view),
        "siderolink_counter": {},
        "machine_created_at": int(created.timestamp()) if created else 0,
        "snapshot": snapshot_spec(view),
    }
    return Said(spec, status_labels(view))


PROJECTIONS = (
    Projection(
        kinds.MACHINE_STATUS,
        "MachineStatusController",
        _status,
        (
            "MachineTeardownController",
            "KernelArgsStatusController",
            "MachineConfigExtractionController",
            "MachineUpgradeStatusController",
            "MachineConfigGenOptionsController",
            "LabelsExtractor[MachineStatuses.omni.sidero.dev]",
            "SchematicConfigurationController",
            "MachineInstallDiskStatusController",
        ),
    ),
    Projection(
        kinds.MACHINE_STATUS_LABELS,
        "LabelsExtractor[MachineStatuses.omni.sidero.dev]",
        _status_labels,
        ("NodeUniqueTokenStatusController",),
    ),
    Projection(kinds.MACHINE_STATUS_SNAPSHOT, "MachineStatusSnapshotController", _snapshot),
    Projection(kinds.MACHINE_STATUS_LINK, "MachineStatusLinkController", _link),
)
