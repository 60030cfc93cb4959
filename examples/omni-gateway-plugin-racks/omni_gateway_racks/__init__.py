"""Racks of a data centre."""

from omni_gateway.sdk import READ_WRITE, ResourcePlugin

from omni_gateway_racks.adapter import RackAdapter
from omni_gateway_racks.schemas import RackSchema
from omni_gateway_racks.settings import RacksSettings

plugin = ResourcePlugin(
    name="racks",
    singular="rack",
    description="Racks of a data centre.",
    group="Machines",
    schema=RackSchema,
    adapter=RackAdapter(),
    roles=READ_WRITE,
    after_write="It is in the database when this answers: all workers and replicas see it.",
    after_delete="It is gone from the database, and nothing else with it.",
    example={"id": "my-rack", "room": "example", "units": 1, "pdu_password": "not shown"},
    settings=RacksSettings,
    sdk=">=2.1,<3",
)
