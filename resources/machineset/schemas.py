"""A machine set as callers read and write it (``specs.MachineSetSpec``), and its status."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import marshmallow as ma
from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.omni import label_names


class MachineSetUpdateStrategy(IntEnum):
    """Values of ``MachineSetUpdateStrategy``."""

    Unset = 0
    Rolling = 1


class MachineSetType(IntEnum):
    """Values of ``MachineSetType``."""

    Static = 0
    Unlimited = 1


class MachineSetPhase(IntEnum):
    """Values of ``MachineSetPhase``."""

    Unknown = 0
    ScalingUp = 1
    ScalingDown = 2
    Running = 3
    Destroying = 4
    Failed = 5
    Reconfiguring = 6
    Upgrading = 7


class MachineSetMachineAllocationSchema(SpecSchema):
    """Machine set machine allocation (``specs.MachineSetSpec.MachineAllocation``)."""

    name = fields.String()
    machine_count = wire.Integer()
    allocation_type = wire.Enum(MachineSetType)


class MachineSetBootstrapSchema(SpecSchema):
    """Machine set bootstrap (``specs.MachineSetSpec.BootstrapSpec``)."""

    cluster_uuid = fields.String()
    snapshot = fields.String()


class MachineSetRollingUpdateStrategyConfigSchema(SpecSchema):
    """Machine set rolling update strategy config (``specs.MachineSetSpec.RollingUpdateStrategyConfig``)."""

    max_parallelism = wire.Integer()


class MachineSetUpdateStrategyConfigSchema(SpecSchema):
    """Machine set update strategy config (``specs.MachineSetSpec.UpdateStrategyConfig``)."""

    rolling = wire.Message(MachineSetRollingUpdateStrategyConfigSchema)


class MachineSetSchema(ResourceSchema):
    """A set of machines of one role in a cluster; its labels name the cluster and the role.

    `machine_allocation` takes machines of a machine class; without it `machinesetnodes` name them one by one.
    """

    aliases = {"cluster": f"labels:{label_names.LABEL_CLUSTER}", "machine_count": "machine_allocation.machine_count"}
    cluster = fields.String(dump_only=True, metadata={"description": "Second name of the label; can be written too"})
    machine_count = wire.Integer(
        dump_only=True,
        metadata={"description": "Second name of the one in `machine_allocation`; can be written too"},
    )
    update_strategy = wire.Enum(MachineSetUpdateStrategy)
    machine_class = wire.Message(MachineSetMachineAllocationSchema)
    bootstrap_spec = wire.Message(MachineSetBootstrapSchema)
    delete_strategy = wire.Enum(MachineSetUpdateStrategy)
    update_strategy_config = wire.Message(MachineSetUpdateStrategyConfigSchema)
    delete_strategy_config = wire.Message(MachineSetUpdateStrategyConfigSchema)
    machine_allocation = wire.Message(MachineSetMachineAllocationSchema)
    upgrade_strategy = wire.Enum(MachineSetUpdateStrategy)
    upgrade_strategy_config = wire.Message(MachineSetUpdateStrategyConfigSchema)

    @ma.validates_schema
    def refuse_two_allocations(self, data: Mapping[str, Any], **_: Any) -> None:
        """Raise for both if ``machine_class``, the older name, disagrees with ``machine_allocation``."""
        older, newer = data.get("machine_class"), data.get("machine_allocation")
        if older and newer and older != newer:
            text = "`machine_class` and `machine_allocation` are two names of one member; give one of them."
            raise ma.ValidationError({"machine_class": [text], "machine_allocation": [text]})


class MachineSetMachinesSchema(SpecSchema):
    """Machine set machines (``specs.Machines``)."""

    total = wire.Integer()
    healthy = wire.Integer()
    connected = wire.Integer()
    requested = wire.Integer()


class MachineSetStatusSchema(ResourceSchema):
    """Status of a machine set."""

    aliases = {
        "total": "machines.total",
        "healthy": "machines.healthy",
        "connected": "machines.connected",
        "requested": "machines.requested",
    }
    total = wire.Integer(dump_only=True)
    healthy = wire.Integer(dump_only=True)
    connected = wire.Integer(dump_only=True)
    requested = wire.Integer(dump_only=True)
    phase = wire.Enum(MachineSetPhase)
    ready = wire.Boolean()
    error = fields.String()
    machines = wire.Message(MachineSetMachinesSchema)
    config_hash = fields.String()
    machine_allocation = wire.Message(MachineSetMachineAllocationSchema)
    locked_updates = wire.Integer()


class MachineSetDestroyStatusSchema(ResourceSchema):
    """Progress of a machine set's removal."""

    phase = fields.String()
