"""What can be read below a machine."""

from __future__ import annotations

from omni_gateway.sdk import OmniResourceAdapter, Resource, SubList, SubResource, types
from resources.machine import config_diffs
from resources.machine.status_schemas import MachineStatusSchema
from resources.machine.subresource_schemas import (
    LabelsOfMachineSchema,
    MachineConfigDiffSchema,
    MachineExtensionsStatusSchema,
    MachineKernelArgsSchema,
    MachinePendingUpdatesSchema,
    MachineUpgradeStatusSchema,
)


def _no_labels(machine: str) -> Resource:
    """Omni keeps the object only once somebody has set a label."""
    return Resource(machine, type=types.MACHINE_LABELS, version=0)


def _nothing_pending(machine: str) -> Resource:
    """Omni keeps the object only while something waits to be done."""
    return Resource(machine, type=types.MACHINE_PENDING_UPDATES, version=0)


SUBRESOURCES: tuple[SubResource | SubList, ...] = (
    SubResource(
        "status",
        OmniResourceAdapter(types.MACHINE_STATUSES),
        MachineStatusSchema,
        "What Omni knows of the machine",
        comes_later=True,
    ),
    SubResource(
        "labels",
        OmniResourceAdapter(types.MACHINE_LABELS),
        LabelsOfMachineSchema,
        "The labels that users gave the machine",
        absent=_no_labels,
    ),
    SubResource(
        "extensions",
        OmniResourceAdapter(types.MACHINE_EXTENSIONS_STATUSES),
        MachineExtensionsStatusSchema,
        "System extensions, installed and on their way",
        comes_later=True,
    ),
    SubResource(
        "upgrade-status",
        OmniResourceAdapter(types.MACHINE_UPGRADE_STATUSES),
        MachineUpgradeStatusSchema,
        "What the machine should run, and how far it is from it",
        comes_later=True,
    ),
    SubResource(
        "kernel-args",
        OmniResourceAdapter(types.KERNEL_ARGS_STATUSES),
        MachineKernelArgsSchema,
        "Kernel arguments, wanted and present",
        comes_later=True,
    ),
    SubResource(
        "pending-updates",
        OmniResourceAdapter(types.MACHINE_PENDING_UPDATES),
        MachinePendingUpdatesSchema,
        "What waits to be done to the machine",
        absent=_nothing_pending,
    ),
    SubList(
        "config-diff",
        config_diffs.ConfigDiffAdapter(),
        MachineConfigDiffSchema,
        "The changes that were made to the machine's configuration, newest first",
        filters=(config_diffs.OF_MACHINE,),
        filter="machine",
        collection="machines",
        links={"self": config_diffs.self_url},
    ),
)
