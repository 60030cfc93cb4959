"""Machine sets as a sub-resource of their cluster (``specs.MachineSetSpec``)."""

from __future__ import annotations

from enum import IntEnum

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from resources.cluster.schemas.create import ClusterSetStrategySchema, EtcdRestoreSchema, UpdateStrategy


class AllocationType(IntEnum):
    """``specs.MachineSetSpec.MachineAllocation.Type``."""

    Static = 0
    Unlimited = 1


class ClusterSetAllocationSchema(SpecSchema):
    """The machine class that a set takes its machines from, and their number."""

    name = fields.String(metadata={"description": "The machine class"})
    machine_count = wire.Integer()
    allocation_type = wire.Enum(AllocationType)


class ClusterMachineSetSchema(ResourceSchema):
    """A set of machines with one role in a cluster."""

    update_strategy = wire.Enum(UpdateStrategy)
    machine_class = wire.Message(
        ClusterSetAllocationSchema, metadata={"description": "Older form of machine_allocation"}
    )
    bootstrap_spec = wire.Message(EtcdRestoreSchema)
    delete_strategy = wire.Enum(UpdateStrategy)
    update_strategy_config = wire.Message(ClusterSetStrategySchema)
    delete_strategy_config = wire.Message(ClusterSetStrategySchema)
    machine_allocation = wire.Message(
        ClusterSetAllocationSchema, metadata={"description": "Absent: the set's machines are chosen one by one"}
    )
    upgrade_strategy = wire.Enum(UpdateStrategy)
    upgrade_strategy_config = wire.Message(ClusterSetStrategySchema)
