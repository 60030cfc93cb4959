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

    platform = fields.String(metadata={"description": "e.g. `metal`, `aws`"})
    hostname = fields.String()
    region = fields.String()
    zone = fields.String()
    instance_type = fields.String()
    instance_id = fields.String()
    provider_id = fields.String()
    spot = wire.Boolean()
    tags = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata={"additionalProperties": {"type": "string"}}
    )


class MachineInitialImageSchema(SpecSchema):
    """The content of the image with which the machine first connected."""

    extensions = fields.List(fields.String())


class MachineSchematicSchema(SpecSchema):
    """The image that the machine runs; join tokens in it are masked."""

    invalid = wire.Boolean(metadata={"description": "The machine was not booted from an image of the image factory"})
    extensions = fields.List(fields.String(), metadata={"description": "System extensions that it runs with now"})
    initial_schematic = fields.String()
    kernel_args = fields.List(wire.Masked(mask_tokens))
    full_id = fields.String(metadata={"description": "Id of the schematic, a hash of its content"})
    in_agent_mode = wire.Boolean(metadata={"description": "It runs the agent of a bare-metal infra provider"})
    raw = wire.Masked(mask_tokens, metadata={"description": "The schematic as YAML"})
    initial_state = wire.Message(MachineInitialImageSchema)


class MachineDiagnosticSchema(SpecSchema):
    """A warning of Talos."""

    id = fields.String()
    message = fields.String()
    details = fields.List(fields.String())


class MachineSecurityStateSchema(SpecSchema):
    """Security of the machine's boot."""

    secure_boot = wire.Boolean()
    booted_with_uki = wire.Boolean(metadata={"description": "From a unified kernel image"})
    fips_state = wire.Enum(FipsState)


class MachineStatusSchema(ResourceSchema):
    """The status of a machine; all fields are empty before its first report."""

    talos_version = fields.String(dump_only=True, metadata={"description": "With a leading `v`, e.g. `v1.13.7`"})
    hardware = wire.Message(MachineHardwareSchema, dump_only=True)
    network = wire.Message(MachineNetworkSchema, dump_only=True)
    last_error = fields.String(dump_only=True, metadata={"description": "Why Omni could not reach it last"})
    management_address = fields.String(dump_only=True, metadata={"description": "Its address in Omni's own network"})
    connected = wire.Boolean(dump_only=True)
    maintenance = wire.Boolean(
        dump_only=True, metadata={"description": "Talos runs without a configuration, waiting for one"}
    )
    cluster = fields.String(dump_only=True, metadata={"description": "The cluster it is a member of; empty when free"})
    role = wire.Enum(MachineRole, dump_only=True)
    platform_metadata = wire.Message(MachinePlatformSchema, dump_only=True)
    image_labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        dump_only=True,
        metadata={
            "description": "Labels from its image",
            "additionalProperties": {"type": "string"},
        },
    )
    schematic = wire.Message(MachineSchematicSchema, dump_only=True)
    initial_talos_version = fields.String(dump_only=True)
    diagnostics = fields.List(fields.Nested(MachineDiagnosticSchema), dump_only=True)
    power_state = wire.Enum(PowerState, dump_only=True)
    security_state = wire.Message(MachineSecurityStateSchema, dump_only=True)
    kernel_cmdline = wire.Masked(mask_tokens, metadata={"description": "Command line of the running kernel"})
    talos_version_name = fields.String(dump_only=True)

    hostname = fields.String(dump_only=True, metadata={"description": "Second name of `network.hostname`"})
    platform = fields.String(dump_only=True, metadata={"description": "Second name of `platform_metadata.platform`"})
    arch = fields.String(dump_only=True, metadata={"description": "Second name of `hardware.arch`, e.g. `amd64`"})

    aliases: ClassVar[dict[str, str]] = {
        "hostname": "network.hostname",
        "platform": "platform_metadata.platform",
        "arch": "hardware.arch",
    }
