"""The document: ClusterProfiles, as SIG Multicluster's cluster inventory API describes them (v1alpha1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument
from resources.discovery.argocd.manifests import metadata, object_list
from resources.discovery.argocd.profile_schemas import ClusterProfilesQuery, ClusterProfilesSchema
from resources.discovery.clusters import (
    Cluster,
    KubernetesApi,
    kubernetes_api,
    list_clusters,
    with_kubernetes_api,
)

_MANAGER_LABEL = "x-k8s.io/cluster-manager"
#: What an exec plugin gets of a cluster stands in an extension of this name, as in a kubeconfig.
_EXEC_EXTENSION = "client.authentication.k8s.io/exec"
_PROVIDER = "omni"


def cluster_profiles(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a list of ClusterProfiles."""
    clusters = with_kubernetes_api(adapter.omni, list_clusters(adapter, query))
    api = kubernetes_api(adapter.omni, clusters)
    return object_list([_profile(cluster, api, query) for cluster in clusters])


def _profile(cluster: Cluster, api: KubernetesApi, query: Mapping[str, Any]) -> Mapping[str, Any]:
    manager = query["cluster_manager"]
    return {
        "apiVersion": "multicluster.x-k8s.io/v1alpha1",
        "kind": "ClusterProfile",
        "metadata": metadata(cluster, query["namespace"], {_MANAGER_LABEL: manager}),
        "spec": {"displayName": cluster.name, "clusterManager": {"name": manager}},
        "status": {
            "version": {"kubernetes": cluster.kubernetes_version},
            "conditions": _conditions(cluster),
            "accessProviders": [{"name": _PROVIDER, "cluster": _access(cluster, api)}],
        },
    }


def _conditions(cluster: Cluster) -> list[Mapping[str, str]]:
    if not cluster.reported:
        return []
    healthy = cluster.control_plane_ready
    return [
        {
            "type": "ControlPlaneHealthy",
            "status": "True" if healthy else "False",
            "reason": "Ready" if healthy else "NotReady",
            "message": "",
            "lastTransitionTime": cluster.reported,
        }
    ]


def _access(cluster: Cluster, api: KubernetesApi) -> Mapping[str, Any]:
    return {
        "server": api.url_of(cluster.name),
        "certificate-authority-data": api.ca_data,
        "extensions": [{"name": _EXEC_EXTENSION, "extension": {"clusterName": cluster.name}}],
    }


CLUSTER_PROFILES = ComputedDocument(
    "cluster-profiles",
    on_collection=True,
    scoped=True,
    conditional=True,
    role=Role.READER,
    summary="List clusters as ClusterProfiles",
    description="A list for `kubectl apply -f -`: the objects of the cluster inventory of Kubernetes' SIG Multicluster."
    " They have no credential. `status` is a subresource: apply the list once more with `--server-side"
    " --subresource=status`. Clusters that Omni has no kubeconfig for yet, and those that are being removed, are left"
    " out.",
    query=ClusterProfilesQuery,
    answers=ClusterProfilesSchema,
    run=cluster_profiles,
)
