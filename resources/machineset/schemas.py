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
    """The machine class that a set draws from (``specs.MachineSetSpec.MachineAllocation``)."""

    name = fields.String(
        metadata={"description": "Id of the machine class that Omni takes machines from", "example": "metal"}
    )
    machine_count = wire.Integer(
        metadata={"description": "Number of machines to take, with `allocation_type` `Static`", "example": 3}
    )
    allocation_type = wire.Enum(
        MachineSetType,
        metadata={
            "description": "`Static`: as many as `machine_count`; `Unlimited`: every machine of the class",
            "example": "Static",
        },
    )


class MachineSetBootstrapSchema(SpecSchema):
    """The etcd backup that a control plane starts from (``specs.MachineSetSpec.BootstrapSpec``)."""

    cluster_uuid = fields.String(
        metadata={
            "description": "UUID of the cluster that was backed up; it must still exist",
            "example": "e1bd8aea-5e5e-4c1e-8e0b-3c3b2c5a6f11",
        }
    )
    snapshot = fields.String(
        metadata={"description": "Name of the backup, as `etcdbackups` has it", "example": "FFFFFFFF94FB6C65.snapshot"}
    )


class MachineSetRollingUpdateStrategyConfigSchema(SpecSchema):
    """Settings of the strategy `Rolling` (``specs.MachineSetSpec.RollingUpdateStrategyConfig``)."""

    max_parallelism = wire.Integer(
        metadata={"description": "Number of machines that are changed at the same time", "example": 1}
    )


class MachineSetUpdateStrategyConfigSchema(SpecSchema):
    """Settings of a strategy (``specs.MachineSetSpec.UpdateStrategyConfig``)."""

    rolling = wire.Message(
        MachineSetRollingUpdateStrategyConfigSchema,
        metadata={"description": "Settings of the strategy `Rolling`; null: those of Omni"},
    )


class MachineSetSchema(ResourceSchema):
    """A set of machines of one role in a cluster; its labels name the cluster and the role.

    `machine_allocation` takes machines of a machine class; without it `machinesetnodes` name them one by one.
    """

    aliases = {"cluster": f"labels:{label_names.LABEL_CLUSTER}", "machine_count": "machine_allocation.machine_count"}
    cluster = fields.String(
        dump_only=True,
        metadata={
            "description": "Id of the cluster; second name of the label `omni.sidero.dev/cluster`, can be written too",
            "example": "my-cluster",
        },
    )
    machine_count = wire.Integer(
        dump_only=True,
        metadata={"description": "Second name of `machine_allocation.machine_count`; can be written too", "example": 3},
    )
    update_strategy = wire.Enum(
        MachineSetUpdateStrategy,
        metadata={
            "description": "How changes of the configuration reach the machines; `Rolling`: at most as many at a"
            " time as its settings name",
            "example": "Rolling",
        },
    )
    machine_class = wire.Message(
        MachineSetMachineAllocationSchema,
        metadata={"description": "Older name of `machine_allocation`; give one of the two"},
    )
    bootstrap_spec = wire.Message(
        MachineSetBootstrapSchema,
        metadata={
            "description": "Control planes: the etcd backup to start from; set when the set is created, then it can"
            " only be removed"
        },
    )
    delete_strategy = wire.Enum(
        MachineSetUpdateStrategy,
        metadata={
            "description": "How machines leave the set; `Rolling`: at most as many at a time as its settings name,"
            " else all at once",
            "example": "Unset",
        },
    )
    update_strategy_config = wire.Message(
        MachineSetUpdateStrategyConfigSchema,
        metadata={"description": "How many machines take a change of the configuration at the same time; null: one"},
    )
    delete_strategy_config = wire.Message(
        MachineSetUpdateStrategyConfigSchema,
        metadata={"description": "How many machines leave the set at the same time, with the strategy `Rolling`"},
    )
    machine_allocation = wire.Message(
        MachineSetMachineAllocationSchema,
        metadata={
            "description": "The machine class that Omni takes the machines from; null: `machinesetnodes` name the"
            " machines"
        },
    )
    upgrade_strategy = wire.Enum(
        MachineSetUpdateStrategy,
        metadata={
            "description": "How Talos upgrades reach the machines; `Rolling`: at most as many at a time as its"
            " settings name, else one",
            "example": "Unset",
        },
    )
    upgrade_strategy_config = wire.Message(
        MachineSetUpdateStrategyConfigSchema,
        metadata={"description": "How many machines are upgraded at the same time, with the strategy `Rolling`"},
    )

    @ma.validates_schema
    def refuse_two_allocations(self, data: Mapping[str, Any], **_: Any) -> None:
        """Raise for both if ``machine_class``, the older name, disagrees with ``machine_allocation``."""
        older, newer = data.get("machine_class"), data.get("machine_allocation")
        if older and newer and older != newer:
            text = "`machine_class` and `machine_allocation` are two names of one member; give one of them."
            raise ma.ValidationError({"machine_class": [text], "machine_allocation": [text]})


class MachineSetMachinesSchema(SpecSchema):
    """Counts of a machine set's machines by state (``specs.Machines``)."""

    total = wire.Integer(metadata={"description": "Machines that are members of the set", "example": 3})
    healthy = wire.Integer(
        metadata={"description": "Members in the stage RUNNING that report all services ready", "example": 3}
    )
    connected = wire.Integer(metadata={"description": "Members that are connected to Omni", "example": 3})
    requested = wire.Integer(
        metadata={
            "description": "Machines that the set asks for: its nodes, or the number in `machine_allocation`",
            "example": 3,
        }
    )


class MachineSetStatusSchema(ResourceSchema):
    """Status of a machine set."""

    aliases = {
        "total": "machines.total",
        "healthy": "machines.healthy",
        "connected": "machines.connected",
        "requested": "machines.requested",
    }
    total = wire.Integer(dump_only=True, metadata={"description": "Second name of `machines.total`", "example": 3})
    healthy = wire.Integer(dump_only=True, metadata={"description": "Second name of `machines.healthy`", "example": 3})
    connected = wire.Integer(
        dump_only=True, metadata={"description": "Second name of `machines.connected`", "example": 3}
    )
    requested = wire.Integer(
        dump_only=True, metadata={"description": "Second name of `machines.requested`", "example": 3}
    )
    phase = wire.Enum(
        MachineSetPhase,
        metadata={
            "description": "What the set does: scale, upgrade Talos, change configurations, run or go; `Failed`: see"
            " `error`",
            "example": "Running",
        },
    )
    ready = wire.Boolean(
        metadata={
            "description": "Whether the set runs, and all of its machines are healthy and connected",
            "example": True,
        }
    )
    error = fields.String(metadata={"description": "Why the phase is `Failed`; else empty", "example": ""})
    machines = wire.Message(
        MachineSetMachinesSchema,
        metadata={"description": "Numbers of machines in the set; null before Omni has counted"},
    )
    config_hash = fields.String(
        metadata={
            "description": "Hash of the configurations of all machines in the set: it changes with any of them",
            "example": "5f3c8a1d9b7e4c2f6a0d8e1b3c5f7a9d2e4b6c8f0a1d3e5b7c9f2a4d6e8b0c1d",
        }
    )
    machine_allocation = wire.Message(
        MachineSetMachineAllocationSchema,
        metadata={
            "description": "The machine class that Omni takes the machines from, copied from the machine set; null:"
            " none"
        },
    )
    locked_updates = wire.Integer(
        metadata={
            "description": "Number of machines whose update waits because they, or their cluster, are locked",
            "example": 0,
        }
    )


class MachineSetDestroyStatusSchema(ResourceSchema):
    """Progress of a machine set's removal."""

    phase = fields.String(
        metadata={
            "description": "What remains to be removed, in Omni's words; for people, do not parse",
            "example": "Destroying: 2 machines",
        }
    )
