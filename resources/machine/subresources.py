"""The sub-resources of a machine (``/machines/{id}/…``)."""

from __future__ import annotations

from omni_gateway.sdk import OmniResourceAdapter, Resource, SubResource
from omni_gateway.sdk.actions import SubList
from omni_gateway.sdk.omni import types
from resources.machine import config_diffs
from resources.machine.schemas.status import MachineStatusSchema
from resources.machine.schemas.subresources import (
    LabelsOfMachineSchema,
    MachineConfigDiffSchema,
    MachineExtensionsStatusSchema,
    MachineKernelArgsSchema,
    MachinePendingUpdatesSchema,
    MachineUpgradeStatusSchema,
)


def _no_labels(machine: str) -> Resource:
    """Return an empty object: Omni has one only after a label was set."""
    return Resource(machine, type=types.MACHINE_LABELS, version=0)


def _nothing_pending(machine: str) -> Resource:
    """Return an empty object: Omni has one only while an update is pending."""
    return Resource(machine, type=types.MACHINE_PENDING_UPDATES, version=0)


SUBRESOURCES: tuple[SubResource | SubList, ...] = (
    SubResource(
        "status",
        OmniResourceAdapter(types.MACHINE_STATUSES),
        MachineStatusSchema,
        "Machine status",
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
        "System extensions, installed and pending",
        comes_later=True,
    ),
    SubResource(
        "upgrade-status",
        OmniResourceAdapter(types.MACHINE_UPGRADE_STATUSES),
        MachineUpgradeStatusSchema,
        "Wanted and current Talos version and image",
        comes_later=True,
    ),
    SubResource(
        "kernel-args",
        OmniResourceAdapter(types.KERNEL_ARGS_STATUSES),
        MachineKernelArgsSchema,
        "Kernel arguments, wanted and current",
        comes_later=True,
    ),
    SubResource(
        "pending-updates",
        OmniResourceAdapter(types.MACHINE_PENDING_UPDATES),
        MachinePendingUpdatesSchema,
        "Pending updates of the machine",
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
