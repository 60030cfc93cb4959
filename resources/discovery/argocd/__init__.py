"""Clusters as parameters of Argo CD's ApplicationSets, by its plugin generator."""

from omni_gateway.sdk.actions import ServicePlugin
from resources.discovery.argocd.generator import PARAMETERS
from resources.discovery.clusters import ClusterAdapter

plugin = ServicePlugin(
    adapter=ClusterAdapter(),
    name="discovery/argocd",
    group="Discovery",
    tag_title="Argo CD generator",
    documents=[PARAMETERS],
    description="Clusters as parameters of ApplicationSets, by the protocol of Argo CD's plugin generator. The"
    " `baseUrl` of the plugin is `…/api/v1/discovery/argocd`; Argo CD appends `api/v1/getparams.execute`.",
    import_name=__name__,
)
