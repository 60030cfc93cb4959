"""The settings of an infrastructure provider's machine."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class InfraMachineConfigMachinePowerState(IntEnum):
    """Values of ``InfraMachineConfigMachinePowerState``."""

    POWER_STATE_DEFAULT = 0
    POWER_STATE_OFF = 1
    POWER_STATE_ON = 2


class InfraMachineConfigAcceptanceStatus(IntEnum):
    """Values of ``InfraMachineConfigAcceptanceStatus``."""

    PENDING = 0
    ACCEPTED = 1
    REJECTED = 2


class InfraMachineConfigSchema(ResourceSchema):
    """Acceptance, power state and kernel arguments of a bare-metal machine."""

    power_state = wire.Enum(InfraMachineConfigMachinePowerState)
    acceptance_status = wire.Enum(InfraMachineConfigAcceptanceStatus)
    extra_kernel_args = fields.String()
    requested_reboot_id = fields.String()
    cordoned = wire.Boolean()
    power_off_request_id = fields.String()
