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

    name = fields.String(
        metadata={"description": "Full name of the extension, with its publisher", "example": "siderolabs/iscsi-tools"}
    )
    immutable = wire.Boolean(
        metadata={
            "description": "Whether the extension is part of the machine's image and cannot be removed",
            "example": False,
        }
    )
    phase = wire.Enum(
        MachineExtensionPhase,
        metadata={
            "description": "`Installed`, or on its way: `Installing`, `Removing`, until the machine has booted its"
            " next image",
            "example": "Installed",
        },
    )


class MachineExtensionsStatusSchema(ResourceSchema):
    """The machine's system extensions, pending ones included (``specs.MachineExtensionsStatusSpec``)."""

    extensions = fields.List(
        fields.Nested(MachineExtensionSchema),
        dump_only=True,
        metadata={"description": "System extensions of the machine, installed and pending"},
    )
    talos_version = fields.String(
        dump_only=True,
        metadata={"description": "Talos version that the extensions are for, with a leading `v`", "example": "v1.13.7"},
    )


class MachineUpgradeStatusSchema(ResourceSchema):
    """Wanted and current image and version, and the progress between them (``specs.MachineUpgradeStatusSpec``)."""

    schematic_id = fields.String(
        dump_only=True,
        metadata={
            "description": "Id of the schematic that Omni wants on the machine",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        },
    )
    talos_version = fields.String(
        dump_only=True,
        metadata={
            "description": "Talos version of the wanted image, with a leading `v`; the current one, since Omni"
            " compares schematics only",
            "example": "v1.13.7",
        },
    )
    current_schematic_id = fields.String(
        dump_only=True,
        metadata={
            "description": "Id of the schematic that the machine runs",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        },
    )
    current_talos_version = fields.String(
        dump_only=True,
        metadata={"description": "Talos version that the machine runs, with a leading `v`", "example": "v1.13.7"},
    )
    phase = wire.Enum(
        enums.MachineUpgradePhase,
        dump_only=True,
        metadata={
            "description": "`UpToDate`: the machine runs what Omni wants; `Pending`: an upgrade has to come;"
            " `Upgrading`: it runs",
            "example": "UpToDate",
        },
    )
    status = fields.String(
        dump_only=True,
        metadata={
            "description": "Present step, or what the upgrade waits for, in Omni's words; for people, do not parse",
            "example": "machine is up to date",
        },
    )
    error = fields.String(
        dump_only=True, metadata={"description": "Why the last attempt failed; empty if none did", "example": ""}
    )
    is_maintenance = wire.Boolean(
        dump_only=True,
        metadata={
            "description": "Whether the machine is in maintenance mode, where Omni upgrades it without a cluster",
            "example": False,
        },
    )


class MachineKernelArgsSchema(ResourceSchema):
    """The machine's kernel arguments (``specs.KernelArgsStatusSpec``); join tokens are masked."""

    args = fields.List(
        wire.Masked(mask_tokens),
        dump_only=True,
        metadata={
            "description": "Additional kernel arguments that Omni wants in the machine's image, from `kernel-args`",
            "example": ["console=ttyS0"],
        },
    )
    current_args = fields.List(
        wire.Masked(mask_tokens),
        dump_only=True,
        metadata={
            "description": "Additional kernel arguments in the image that the machine runs",
            "example": ["console=ttyS0"],
        },
    )
    unmet_conditions = fields.List(
        fields.String(),
        dump_only=True,
        metadata={
            "description": "Why the arguments of this machine cannot be changed now, a line each; empty if they can",
            "example": [],
        },
    )
    current_cmdline = wire.Masked(
        mask_tokens,
        metadata={"description": "Command line of the running kernel", "example": "talos.platform=metal console=ttyS0"},
    )


class MachinePendingUpgradeSchema(SpecSchema):
    """A pending upgrade."""

    from_schematic = fields.String(
        metadata={
            "description": "Id of the schematic that the machine runs",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    to_schematic = fields.String(
        metadata={
            "description": "Id of the schematic that the machine will run",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    from_version = fields.String(metadata={"description": "Talos version that the machine runs", "example": "1.13.6"})
    to_version = fields.String(metadata={"description": "Talos version that the machine will run", "example": "1.13.7"})


class MachinePendingUpdatesSchema(ResourceSchema):
    """The machine's pending updates (``specs.MachinePendingUpdatesSpec``); all fields are empty if there are none."""

    upgrade = wire.Message(
        MachinePendingUpgradeSchema,
        dump_only=True,
        metadata={"description": "The pending change of Talos version or image; null if there is none"},
    )
    config_diff = wire.Masked(
        mask_configuration,
        metadata={
            "description": "Unified diff of the pending change of the Talos configuration, without secrets; empty if"
            " there is none",
            "example": "",
        },
    )


class MachineConfigDiffSchema(ResourceSchema):
    """A change that was made to a machine's Talos configuration (``specs.MachineConfigDiffSpec``)."""

    diff = wire.Masked(
        mask_configuration,
        metadata={
            "description": "Unified diff of the change of the Talos configuration, without secrets",
            "example": '@@ -1,1 +1,1 @@\n-    vm.swappiness: "60"\n+    vm.swappiness: "10"\n',
        },
    )
