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

    power_state = wire.Enum(
        InfraMachineConfigMachinePowerState,
        metadata={
            "description": "Whether the provider keeps the machine on or off while it is in no cluster;"
            " `POWER_STATE_DEFAULT`: off",
            "example": "POWER_STATE_DEFAULT",
        },
    )
    acceptance_status = wire.Enum(
        InfraMachineConfigAcceptanceStatus,
        metadata={
            "description": "Whether Omni may use (and wipe) the machine; ACCEPTED cannot be taken back",
            "example": "ACCEPTED",
        },
    )
    extra_kernel_args = fields.String(
        metadata={
            "description": "Additional kernel arguments of the machine, separated by spaces",
            "example": "console=ttyS0",
        }
    )
    requested_reboot_id = fields.String(
        metadata={"description": "A new value, e.g. a UUID, makes the provider reboot the machine once", "example": ""}
    )
    cordoned = wire.Boolean(
        metadata={
            "description": "Whether the provider leaves the machine as it is, without power management or wipes",
            "example": False,
        }
    )
    power_off_request_id = fields.String(
        metadata={
            "description": "A new value, e.g. a UUID, has the provider keep the machine off after a shutdown, also"
            " in a cluster",
            "example": "",
        }
    )
