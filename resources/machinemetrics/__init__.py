"""The machines of the fleet, counted by Omni."""

from omni_gateway.sdk import OmniResourceAdapter, ResourcePlugin, Role, types
from resources.machinemetrics.schemas import FleetMachineMetricsSchema

plugin = ResourcePlugin(
    name="machine-metrics",
    singular="fleet-machine-metrics",
    schema=FleetMachineMetricsSchema,
    adapter=OmniResourceAdapter(types.MACHINE_STATUS_METRICS),
    roles={"get": Role.READER},
    description="The machines of the fleet, counted by Omni",
    import_name=__name__,
    singleton="metrics",
)
