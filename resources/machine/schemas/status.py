"""The status of a machine (``specs.MachineStatusSpec``); all fields are read-only."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.redaction import mask_tokens
from resources.machine.schemas.hardware import MachineHardwareSchema, MachineNetworkSchema


class MachineRole(IntEnum):
    """``specs.MachineStatusSpec.Role``."""

    NONE = 0
    CONTROL_PLANE = 1
    WORKER = 2


class PowerState(IntEnum):
    """``specs.MachineStatusSpec.PowerState``."""

    POWER_STATE_UNKNOWN = 0
    POWER_STATE_UNSUPPORTED = 1
    POWER_STATE_ON = 2
    POWER_STATE_OFF = 3


class FipsState(IntEnum):
    """``specs.SecurityState.FIPSState``."""

    FIPS_STATE_DISABLED = 0
    FIPS_STATE_ENABLED = 1
    FIPS_STATE_STRICT = 2


class MachinePlatformSchema(SpecSchema):
    """The platform that the machine runs on, as Talos learns it from there."""

    platform = fields.String(
        metadata={"description": "Talos platform, as in `platforms`, e.g. `metal`, `aws`", "example": "metal"}
    )
    hostname = fields.String(
        metadata={"description": "Host name that the platform gives the machine", "example": "node-1"}
    )
    region = fields.String(
        metadata={"description": "Region of the cloud that the instance is in; empty outside of clouds", "example": ""}
    )
    zone = fields.String(
        metadata={"description": "Availability zone of the region that the instance is in", "example": ""}
    )
    instance_type = fields.String(
        metadata={"description": "Instance type of the cloud, its size of machine", "example": ""}
    )
    instance_id = fields.String(metadata={"description": "Id of the instance in the cloud", "example": ""})
    provider_id = fields.String(
        metadata={"description": "Provider id of the Kubernetes node (`spec.providerID`)", "example": ""}
    )
    spot = wire.Boolean(
        metadata={
            "description": "Whether the instance is a spot instance, which its cloud may stop at any time",
            "example": False,
        }
    )
    tags = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Tags of the instance in the cloud: name → value",
            "additionalProperties": {"type": "string"},
            "example": {},
        },
    )


class MachineInitialImageSchema(SpecSchema):
    """The content of the image with which the machine first connected."""

    extensions = fields.List(
        fields.String(),
        metadata={
            "description": "System extensions in the image that the machine first connected with",
            "example": ["siderolabs/qemu-guest-agent"],
        },
    )


class MachineSchematicSchema(SpecSchema):
    """The image that the machine runs; join tokens in it are masked."""

    invalid = wire.Boolean(
        metadata={
            "description": "Whether the machine was not booted from an image of the image factory: Omni cannot"
            " change its extensions",
            "example": False,
        }
    )
    extensions = fields.List(
        fields.String(),
        metadata={
            "description": "System extensions that the machine runs with now",
            "example": ["siderolabs/qemu-guest-agent"],
        },
    )
    initial_schematic = fields.String(
        metadata={
            "description": "Id of the schematic that the machine first connected with",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    kernel_args = fields.List(
        wire.Masked(mask_tokens),
        metadata={
            "description": "Kernel arguments in the schematic; join tokens are masked",
            "example": ["console=ttyS0"],
        },
    )
    full_id = fields.String(
        metadata={
            "description": "Id of the schematic that the machine runs, the SHA-256 of its content",
            "example": "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d512b4ba",
        }
    )
    in_agent_mode = wire.Boolean(
        metadata={
            "description": "Whether the machine runs the agent of a bare-metal infrastructure provider instead of"
            " Talos",
            "example": False,
        }
    )
    raw = wire.Masked(
        mask_tokens,
        metadata={"description": "The schematic as YAML; join tokens are masked", "example": "customization: {}"},
    )
    initial_state = wire.Message(
        MachineInitialImageSchema,
        metadata={"description": "Content of the image that the machine first connected with"},
    )


class MachineDiagnosticSchema(SpecSchema):
    """A warning of Talos."""

    id = fields.String(metadata={"description": "Kind of warning, as Talos names it", "example": "address-overlap"})
    message = fields.String(
        metadata={
            "description": "The warning in one line, for people",
            "example": "host and Kubernetes pod/service CIDR addresses overlap",
        }
    )
    details = fields.List(
        fields.String(),
        metadata={
            "description": "What the warning is about, a line each",
            "example": ["host address 10.244.0.5 overlaps with pod CIDR 10.244.0.0/16"],
        },
    )


class MachineSecurityStateSchema(SpecSchema):
    """Security of the machine's boot."""

    secure_boot = wire.Boolean(
        metadata={"description": "Whether the machine booted with UEFI Secure Boot", "example": False}
    )
    booted_with_uki = wire.Boolean(
        metadata={
            "description": "Whether the machine booted from a unified kernel image; always with Secure Boot",
            "example": True,
        }
    )
    fips_state = wire.Enum(
        FipsState,
        metadata={
            "description": "Whether Talos runs in FIPS 140 mode, and whether strictly",
            "example": "FIPS_STATE_DISABLED",
        },
    )


class MachineStatusSchema(ResourceSchema):
    """The status of a machine; all fields are empty before its first report."""

    talos_version = fields.String(
        dump_only=True,
        metadata={
            "description": "Talos version that the machine runs, with a leading `v`, e.g. `v1.13.7`",
            "example": "v1.13.7",
        },
    )
    hardware = wire.Message(
        MachineHardwareSchema,
        dump_only=True,
        metadata={"description": "Processors, memory and disks; null before the machine's first report"},
    )
    network = wire.Message(
        MachineNetworkSchema,
        dump_only=True,
        metadata={"description": "Host name, addresses and interfaces; null before the machine's first report"},
    )
    last_error = fields.String(
        dump_only=True,
        metadata={
            "description": "Why Omni's last attempt to read the machine's state failed; empty if it did not fail",
            "example": "",
        },
    )
    management_address = fields.String(
        dump_only=True,
        metadata={
            "description": "Address of the machine in SideroLink, Omni's WireGuard network",
            "example": "fdae:41e4:649b:9303:7396:c9b4:213a:2a86",
        },
    )
    connected = wire.Boolean(
        dump_only=True, metadata={"description": "Whether the machine is connected to Omni now", "example": True}
    )
    maintenance = wire.Boolean(
        dump_only=True,
        metadata={
            "description": "Whether Talos runs in maintenance mode: without a configuration, waiting for one",
            "example": False,
        },
    )
    cluster = fields.String(
        dump_only=True,
        metadata={
            "description": "Id of the cluster that the machine is a member of; empty for a free machine",
            "example": "my-cluster",
        },
    )
    role = wire.Enum(
        MachineRole,
        dump_only=True,
        metadata={"description": "Role of the machine in its cluster; `NONE` for a free machine", "example": "WORKER"},
    )
    platform_metadata = wire.Message(
        MachinePlatformSchema,
        dump_only=True,
        metadata={
            "description": "The platform that the machine runs on and its data there; null before the first report"
        },
    )
    image_labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        dump_only=True,
        metadata={
            "description": "Labels that the machine's installation medium gives it, kept in Talos' META partition",
            "additionalProperties": {"type": "string"},
            "example": {"rack": "7"},
        },
    )
    schematic = wire.Message(
        MachineSchematicSchema,
        dump_only=True,
        metadata={"description": "The image factory's schematic that the machine runs; null before the first report"},
    )
    initial_talos_version = fields.String(
        dump_only=True,
        metadata={"description": "Talos version that the machine first connected with", "example": "v1.13.7"},
    )
    diagnostics = fields.List(
        fields.Nested(MachineDiagnosticSchema),
        dump_only=True,
        metadata={
            "description": "Warnings that Talos has about the machine's configuration or state; empty if there are none"
        },
    )
    power_state = wire.Enum(
        PowerState,
        dump_only=True,
        metadata={
            "description": "Whether the machine is on: as a bare-metal provider reports it; without one on while"
            " connected, off after a shutdown, else `POWER_STATE_UNSUPPORTED`",
            "example": "POWER_STATE_ON",
        },
    )
    security_state = wire.Message(
        MachineSecurityStateSchema,
        dump_only=True,
        metadata={"description": "Secure Boot, unified kernel image and FIPS; null before the first report"},
    )
    kernel_cmdline = wire.Masked(
        mask_tokens,
        metadata={
            "description": "Command line of the running kernel; join tokens are masked",
            "example": "talos.platform=metal console=ttyS0",
        },
    )
    talos_version_name = fields.String(
        dump_only=True,
        metadata={"description": "Name of the Talos edition that the machine reports", "example": "Talos"},
    )

    hostname = fields.String(
        dump_only=True, metadata={"description": "Second name of `network.hostname`", "example": "node-1"}
    )
    platform = fields.String(
        dump_only=True, metadata={"description": "Second name of `platform_metadata.platform`", "example": "metal"}
    )
    arch = fields.String(
        dump_only=True, metadata={"description": "Second name of `hardware.arch`, e.g. `amd64`", "example": "amd64"}
    )

    aliases: ClassVar[dict[str, str]] = {
        "hostname": "network.hostname",
        "platform": "platform_metadata.platform",
        "arch": "hardware.arch",
    }
