"""Schemas of a machine's sub-resources; all fields are read-only."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import enums
from omni_gateway.sdk.redaction import mask_configuration, mask_tokens


class MachineExtensionPhase(IntEnum):
    """``specs.MachineExtensionsStatusSpec.Item.Phase``."""

    Installed = 0
    Installing = 1
    Removing = 2


class LabelsOfMachineSchema(ResourceSchema):
    """The labels that users gave a machine (``specs.MachineLabelsSpec``, which is empty); change them by PATCH."""


class MachineExtensionSchema(SpecSchema):
    """A system extension."""

    name = fields.String()
    immutable = wire.Boolean(metadata={"description": "Part of the image; cannot be removed"})
    phase = wire.Enum(MachineExtensionPhase)


class MachineExtensionsStatusSchema(ResourceSchema):
    """The machine's system extensions, pending ones included (``specs.MachineExtensionsStatusSpec``)."""

    extensions = fields.List(fields.Nested(MachineExtensionSchema), dump_only=True)
    talos_version = fields.String(dump_only=True, metadata={"description": "With a leading `v`"})


class MachineUpgradeStatusSchema(ResourceSchema):
    """Wanted and current image and version, and the progress between them (``specs.MachineUpgradeStatusSpec``)."""

    schematic_id = fields.String(dump_only=True, metadata={"description": "The image that it should run"})
    talos_version = fields.String(dump_only=True, metadata={"description": "The version that it should run"})
    current_schematic_id = fields.String(dump_only=True)
    current_talos_version = fields.String(dump_only=True)
    phase = wire.Enum(enums.MachineUpgradePhase, dump_only=True)
    status = fields.String(dump_only=True, metadata={"description": "For people"})
    error = fields.String(dump_only=True)
    is_maintenance = wire.Boolean(dump_only=True, metadata={"description": "The machine is in maintenance mode"})


class MachineKernelArgsSchema(ResourceSchema):
    """The machine's kernel arguments (``specs.KernelArgsStatusSpec``); join tokens are masked."""

    args = fields.List(wire.Masked(mask_tokens), dump_only=True, metadata={"description": "Wanted arguments"})
    current_args = fields.List(wire.Masked(mask_tokens), dump_only=True, metadata={"description": "Current arguments"})
    unmet_conditions = fields.List(
        fields.String(), dump_only=True, metadata={"description": "Why they cannot be changed on this machine"}
    )
    current_cmdline = wire.Masked(mask_tokens, metadata={"description": "Command line of the running kernel"})


class MachinePendingUpgradeSchema(SpecSchema):
    """A pending upgrade."""

    from_schematic = fields.String()
    to_schematic = fields.String()
    from_version = fields.String()
    to_version = fields.String()


class MachinePendingUpdatesSchema(ResourceSchema):
    """The machine's pending updates (``specs.MachinePendingUpdatesSpec``); all fields are empty if there are none."""

    upgrade = wire.Message(MachinePendingUpgradeSchema, dump_only=True)
    config_diff = wire.Masked(
        mask_configuration, metadata={"description": "A unified diff of its Talos configuration, without secrets"}
    )


class MachineConfigDiffSchema(ResourceSchema):
    """A change that was made to a machine's Talos configuration (``specs.MachineConfigDiffSpec``)."""

    diff = wire.Masked(mask_configuration, metadata={"description": "A unified diff, without secrets"})
