"""The document: clusters, as Backstage's Kubernetes plugin describes ``ClusterDetails``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument
from resources.discovery.backstage.schemas import BackstageClustersQuery, BackstageClustersSchema
from resources.discovery.clusters import Cluster, KubernetesApi, kubernetes_api, list_clusters, with_kubernetes_api


def clusters(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the clusters that the query selects."""
    found = list_clusters(adapter, query)
    api = kubernetes_api(adapter.omni, with_kubernetes_api(adapter.omni, found))
    return {"clusters": [_details(cluster, api, query["auth_provider"]) for cluster in found]}


def _details(cluster: Cluster, api: KubernetesApi, auth_provider: str) -> Mapping[str, Any]:
    return {
        "name": cluster.name,
        "title": cluster.name,
        "url": api.url,
        "authProvider": auth_provider,
        "authMetadata": {"kubernetes.io/auth-provider": auth_provider},
        "caData": api.ca_data,
        "skipTLSVerify": False,
        "labels": cluster.labels,
        "ready": cluster.ready,
        "kubernetesVersion": cluster.kubernetes_version,
    }


CLUSTERS = ComputedDocument(
    "",
    on_collection=True,
    scoped=True,
    conditional=True,
    role=Role.READER,
    summary="List clusters for Backstage",
    description="For a cluster supplier of Backstage's Kubernetes plugin. It has no credential.",
    query=BackstageClustersQuery,
    answers=BackstageClustersSchema,
    run=clusters,
)
