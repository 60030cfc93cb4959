"""The clusters that discovery lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import marshmallow as ma
import yaml
from marshmallow import fields, validate

from omni_gateway.sdk import OmniClient, OmniResourceAdapter, Resource, ResourceAdapter
from omni_gateway.sdk.adapters import resources_by_id, resources_of, to_list_query
from omni_gateway.sdk.omni import enums, types

_PHASES = {phase.value: phase.name for phase in enums.ClusterPhase}


class ClustersQuery(ma.Schema):
    """Which clusters are listed."""

    label_selector = fields.String(
        validate=validate.Length(max=4096),
        metadata={
            "description": "Only clusters whose labels match, as in lists of clusters: `env=prod,region in (a,b)`",
            "example": "env=prod",
        },
    )
    ready = fields.Boolean(
        metadata={"description": "Only clusters that are (not) ready: all machine sets run and are", "example": True}
    )


class ClusterAdapter(OmniResourceAdapter):
    """Omni's Clusters. What is made of them has the address of the Kubernetes API too, which Omni is asked for."""

    cacheable_response = False

    def __init__(self) -> None:
        super().__init__(types.CLUSTERS, id_is_of="cluster")


@dataclass(frozen=True, slots=True)
class KubernetesApi:
    """Where the Kubernetes API of clusters is: Omni's proxy, which tells clusters apart by the credential.

    ``ca_data``: the certificate authority in base64, if Omni names one. Both are empty before Omni knows a cluster.
    """

    url: str = ""
    ca_data: str = ""

    def url_of(self, cluster: str) -> str:
        """Return the URL with the name of a cluster as a parameter, for consumers that tell clusters apart by URLs.

        Clients of Kubernetes leave the parameters of a server's URL out of their requests.
        """
        return f"{self.url}?cluster={quote(cluster, safe='')}" if self.url else ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as discovery shows it.

    ``reported``: when Omni last changed the cluster's status, RFC 3339; empty before it has reported one.
    """

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    kubernetes_version: str
    talos_version: str
    ready: bool
    phase: str
    machines: int
    control_plane_ready: bool
    reported: str


def list_clusters(adapter: ResourceAdapter, query: Mapping[str, Any]) -> list[Cluster]:
    """Return the clusters that a :class:`ClustersQuery` selects, by name; 422 for an invalid selector."""
    found = [cluster for cluster in adapter.list(to_list_query(query, ())).items if not cluster.tearing_down]
    ids = [cluster.id for cluster in found]
    statuses = resources_by_id(adapter.omni.resources.list(types.CLUSTER_STATUSES), ids)
    clusters = [_cluster(cluster, statuses.get(cluster.id)) for cluster in found]
    ready = query.get("ready")
    return [cluster for cluster in clusters if ready is None or cluster.ready == ready]


def _cluster(cluster: Resource, status: Resource | None) -> Cluster:
    reported = status.spec if status else {}
    return Cluster(
        name=cluster.id,
        labels=cluster.labels,
        annotations=cluster.annotations,
        kubernetes_version=cluster.spec.get("kubernetes_version", ""),
        talos_version=cluster.spec.get("talos_version", ""),
        ready=reported.get("ready", False),
        phase=_PHASES.get(reported.get("phase", 0), "UNKNOWN"),
        machines=(reported.get("machines") or {}).get("total", 0),
        control_plane_ready=reported.get("controlplaneReady", False),
        reported=(status.updated or status.created or "") if status else "",
    )


def with_kubernetes_api(omni: OmniClient, clusters: Iterable[Cluster]) -> list[Cluster]:
    """Return the clusters that Omni makes a kubeconfig for: those that have a UUID."""
    known = {item.id for item in resources_of(omni.resources.list(types.CLUSTER_UUIDS))}
    return [cluster for cluster in clusters if cluster.name in known]


def kubernetes_api(omni: OmniClient, clusters: Sequence[Cluster]) -> KubernetesApi:
    """Return where the Kubernetes API of clusters is, from the kubeconfig of one of them; a call to Omni.

    ``clusters``: those of :func:`with_kubernetes_api`. That kubeconfig has no credential: its user logs in to Omni.
    """
    if not clusters:
        return KubernetesApi()
    entry = yaml.safe_load(omni.management.kubeconfig(clusters[0].name))["clusters"][0]["cluster"]
    return KubernetesApi(entry["server"], entry.get("certificate-authority-data", ""))
