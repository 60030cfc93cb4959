"""The connection's side of a machine: Machine, LinkStatus, and the marks of its first contact."""

from __future__ import annotations

import hashlib

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.machines.projections.view import MachineView, Projection, Said

_TOKEN_PERSISTENT, _TOKEN_EPHEMERAL = 1, 2


def _machine(view: MachineView) -> Said:
    hw = view.hardware
    return Said(
        {"management_address": hw.address, "connected": hw.connected},
        {labels.ADDRESS: hw.address},
        {labels.UNIQUE_TOKEN: ""},
    )


def _link_status(view: MachineView) -> Said:
    spec = {name: view.link.spec.get(name, "") for name in ("node_subnet", "node_public_key")}
    return Said(spec | {"link_id": view.id}, annotations={labels.UNIQUE_TOKEN: ""})


def _extraction(_: MachineView) -> Said:
    return Said({"initialized": True})


def _maintenance_config(view: MachineView) -> Said:
    key = str(view.link.spec.get("node_public_key", ""))
    return Said({"public_key_at_last_apply": key, "last_applied_config_hash": hashlib.sha256(key.encode()).hexdigest()})


def _token_status(view: MachineView) -> Said:
    return Said({"state": _TOKEN_PERSISTENT if view.hardware.installed else _TOKEN_EPHEMERAL})


PROJECTIONS = (
    Projection(
        kinds.MACHINE,
        "MachineController",
        _machine,
        (
            "MachineStatusController",
            "MachineStatusSnapshotController",
            "MachineJoinConfigController",
            "MachineCleanupController",
            "MachineSetStatusController",
        ),
    ),
    Projection(
        kinds.LINK_STATUS,
        "LinkStatusController[Links.omni.sidero.dev]",
        _link_status,
        id_suffix="/Links.omni.sidero.dev",
    ),
    Projection(kinds.NODE_UNIQUE_TOKEN_STATUS, "NodeUniqueTokenStatusController", _token_status),
    Projection(kinds.MACHINE_CONFIG_EXTRACTION_STATUS, "MachineConfigExtractionController", _extraction),
    Projection(kinds.MAINTENANCE_CONFIG_STATUS, "MaintenanceConfigStatusController", _maintenance_config),
)
