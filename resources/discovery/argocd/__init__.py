"""Clusters as Argo CD knows them: parameters of ApplicationSets (plugin generator), Secrets, and ClusterProfiles."""

from omni_gateway.sdk.actions import ServicePlugin
from resources.discovery.argocd.generator import PARAMETERS
from resources.discovery.argocd.profiles import CLUSTER_PROFILES
from resources.discovery.argocd.secrets import CLUSTER_SECRETS
from resources.discovery.clusters import ClusterAdapter

plugin = ServicePlugin(
    adapter=ClusterAdapter(),
    name="discovery/argocd",
    group="Discovery",
    tag_title="Argo CD clusters",
    documents=[PARAMETERS, CLUSTER_SECRETS, CLUSTER_PROFILES],
    description="Clusters as parameters of ApplicationSets, by the protocol of Argo CD's plugin generator. The"
    " `baseUrl` of the plugin is `…/api/v1/discovery/argocd`; Argo CD appends `api/v1/getparams.execute`. And clusters"
    " as the Secrets by which Argo CD knows them, and as ClusterProfiles.",
    import_name=__name__,
)
