"""The machines, counted by Omni."""

from __future__ import annotations

from marshmallow import fields

from omni_gateway.sdk import ResourceSchema
from omni_gateway.sdk import fields as wire


class FleetMachineMetricsSchema(ResourceSchema):
    """How many machines there are, and of which kind."""

    registered_machines_count = wire.Integer()
    connected_machines_count = wire.Integer()
    allocated_machines_count = wire.Integer()
    pending_machines_count = wire.Integer()
    platforms = fields.Dict(keys=fields.String(), values=wire.Integer())
    secure_boot_status = fields.Dict(keys=fields.String(), values=wire.Integer())
    uki_status = fields.Dict(keys=fields.String(), values=wire.Integer())
    registered_machines_limit = wire.Integer()
    registration_limit_reached = wire.Boolean()
    invalid_schematic_machines_count = wire.Integer()
    approaching_talos_version_end_of_support_machines_count = wire.Integer()
    talos_version_end_of_support_machines_count = wire.Integer()
    cores_count = wire.Int64()
