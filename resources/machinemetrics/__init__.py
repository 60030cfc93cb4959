"""The machines of the fleet, counted by Omni."""

from omni_gateway.sdk import ResourcePlugin, Role
from resources.machinemetrics.adapter import MachineMetricsAdapter
from resources.machinemetrics.schemas import FleetMachineMetricsSchema

plugin = ResourcePlugin(
    name="machine-metrics",
    group="Machines",
    singular="fleet-machine-metrics",
    title="machine metrics",
    schema=FleetMachineMetricsSchema,
    adapter=MachineMetricsAdapter(),
    roles={"get": Role.READER},
    description="The machines of the fleet, counted by Omni: by state, platform and boot.",
    import_name=__name__,
    singleton="metrics",
)
