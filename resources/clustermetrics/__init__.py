"""The clusters of the fleet, counted by Omni."""

from omni_gateway.sdk import ResourcePlugin, Role
from resources.clustermetrics.adapter import ClusterMetricsAdapter
from resources.clustermetrics.schemas import FleetClusterMetricsSchema

plugin = ResourcePlugin(
    name="cluster-metrics",
    group="Clusters",
    singular="fleet-cluster-metrics",
    title="cluster metrics",
    schema=FleetClusterMetricsSchema,
    adapter=ClusterMetricsAdapter(),
    roles={"get": Role.READER},
    description="The clusters of the fleet, counted by Omni: by phase and by feature.",
    import_name=__name__,
    singleton="metrics",
)
