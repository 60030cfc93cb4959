"""What Omni's other objects say of a machine; all of it is read-only."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema, enums
from omni_gateway.sdk import fields as wire
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
    immutable = wire.Boolean(metadata={"description": "It belongs to the image and cannot be taken away"})
    phase = wire.Enum(MachineExtensionPhase)


class MachineExtensionsStatusSchema(ResourceSchema):
    """The machine's system extensions, those on their way included (``specs.MachineExtensionsStatusSpec``)."""

    extensions = fields.List(fields.Nested(MachineExtensionSchema), dump_only=True)
    talos_version = fields.String(dump_only=True, metadata={"description": "With a leading `v`"})


class MachineUpgradeStatusSchema(ResourceSchema):
    """What the machine should run, what it runs, and how far the change is (``specs.MachineUpgradeStatusSpec``)."""

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

    args = fields.List(wire.Masked(mask_tokens), dump_only=True, metadata={"description": "What it should have"})
    current_args = fields.List(wire.Masked(mask_tokens), dump_only=True, metadata={"description": "What it has"})
    unmet_conditions = fields.List(
        fields.String(), dump_only=True, metadata={"description": "Why they cannot be changed on this machine"}
    )
    current_cmdline = wire.Masked(mask_tokens, metadata={"description": "What the kernel was started with"})


class MachinePendingUpgradeSchema(SpecSchema):
    """An upgrade that waits."""

    from_schematic = fields.String()
    to_schematic = fields.String()
    from_version = fields.String()
    to_version = fields.String()


class MachinePendingUpdatesSchema(ResourceSchema):
    """What waits to be done to the machine (``specs.MachinePendingUpdatesSpec``); all empty when nothing does."""

    upgrade = wire.Message(MachinePendingUpgradeSchema, dump_only=True)
    config_diff = wire.Masked(
        mask_configuration, metadata={"description": "A unified diff of its Talos configuration, without secrets"}
    )


class MachineConfigDiffSchema(ResourceSchema):
    """A change that was made to a machine's Talos configuration (``specs.MachineConfigDiffSpec``)."""

    diff = wire.Masked(mask_configuration, metadata={"description": "A unified diff, without secrets"})
