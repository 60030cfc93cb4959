"""The machines, counted by Omni."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class FleetMachineMetricsSchema(ResourceSchema):
    """How many machines there are, and of which kind."""

    registered_machines_count = wire.Integer(
        metadata={"description": "Machines that have joined this Omni", "example": 12}
    )
    connected_machines_count = wire.Integer(metadata={"description": "Machines that are connected now", "example": 12})
    allocated_machines_count = wire.Integer(
        metadata={"description": "Machines that are members of a cluster", "example": 6}
    )
    pending_machines_count = wire.Integer(
        metadata={"description": "Machines of bare-metal providers that wait to be accepted", "example": 0}
    )
    platforms = fields.Dict(
        keys=fields.String(),
        values=wire.Integer(),
        metadata={"description": "Talos platform → number of machines", "example": {"metal": 10, "aws": 2}},
    )
    secure_boot_status = fields.Dict(
        keys=fields.String(),
        values=wire.Integer(),
        metadata={
            "description": "Secure Boot (`true`, `false` or `unknown`) → number of machines",
            "example": {"true": 2, "false": 10, "unknown": 0},
        },
    )
    uki_status = fields.Dict(
        keys=fields.String(),
        values=wire.Integer(),
        metadata={
            "description": "Booted from a unified kernel image (`true`, `false` or `unknown`) → number of machines",
            "example": {"true": 12, "false": 0, "unknown": 0},
        },
    )
    registered_machines_limit = wire.Integer(
        metadata={"description": "Number of machines that this Omni may have; 0: no limit", "example": 0}
    )
    registration_limit_reached = wire.Boolean(
        metadata={"description": "Whether no further machine can join, by that limit", "example": False}
    )
    invalid_schematic_machines_count = wire.Integer(
        metadata={"description": "Machines that were not booted from an image of the image factory", "example": 0}
    )
    approaching_talos_version_end_of_support_machines_count = wire.Integer(
        metadata={
            "description": "Machines whose Talos is of the two oldest minor versions that this Omni supports",
            "example": 0,
        }
    )
    talos_version_end_of_support_machines_count = wire.Integer(
        metadata={"description": "Machines whose Talos is older than this Omni supports", "example": 0}
    )
    cores_count = wire.Int64(metadata={"description": "Processor cores of all machines together", "example": 96})
