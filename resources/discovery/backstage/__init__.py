"""Clusters for Backstage's Kubernetes plugin."""

from omni_gateway.sdk.actions import ServicePlugin
from resources.discovery.backstage.locator import CLUSTERS
from resources.discovery.clusters import ClusterAdapter

plugin = ServicePlugin(
    adapter=ClusterAdapter(),
    name="discovery/backstage",
    group="Discovery",
    tag_title="Backstage clusters",
    documents=[CLUSTERS],
    description="Clusters as a `KubernetesClustersSupplier` of Backstage's Kubernetes plugin returns them.",
    import_name=__name__,
)
