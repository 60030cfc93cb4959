"""The sub-resources of a cluster (``/clusters/{id}/…``)."""

from __future__ import annotations

from dataclasses import replace

from omni_gateway.sdk import OmniResourceAdapter, Resource, SubResource
from omni_gateway.sdk.actions import SubCollection, SubList
from omni_gateway.sdk.omni import label_names, types
from resources.cluster import nodes
from resources.cluster.schemas.kubernetes import (
    KubernetesNodeSchema,
    KubernetesStatusSchema,
    KubernetesUpgradeStatusSchema,
    TalosUpgradeStatusSchema,
)
from resources.cluster.schemas.status import (
    TAINTS,
    ClusterBootstrapSchema,
    ClusterDestroyStatusSchema,
    ClusterDiagnosticsSchema,
    ClusterEndpointSchema,
    ClusterSecretsRotationStatusSchema,
    ClusterStatusSchema,
    ClusterWorkloadProxyStatusSchema,
    ControlPlaneStatusSchema,
)
from resources.cluster.versions import newest_upgrade


class UpgradeStatusAdapter(OmniResourceAdapter):
    """Upgrade statuses, with the newest of the versions that Omni offers."""

    def shown(self, resource: Resource) -> Resource:
        """Add ``newest_upgrade_version``."""
        newest = newest_upgrade(resource.spec.get("upgrade_versions") or (), resource.spec.get("last_upgrade_version"))
        return replace(resource, spec={**resource.spec, "newest_upgrade_version": newest})


class ClusterStatusAdapter(OmniResourceAdapter):
    """Cluster statuses, with their taints by name; Omni has them as labels."""

    def shown(self, resource: Resource) -> Resource:
        """Add ``taints``."""
        taints = [name for label, name in TAINTS.items() if label in resource.labels]
        return replace(resource, spec={**resource.spec, "taints": taints})


def _no_diagnostics(cluster: str) -> Resource:
    """Return an empty object: Omni has one only while a machine has diagnostics."""
    return Resource(cluster, type=types.CLUSTER_DIAGNOSTICS, version=0)


SUBRESOURCES: tuple[SubResource | SubList | SubCollection, ...] = (
    SubResource(
        "status",
        ClusterStatusAdapter(types.CLUSTER_STATUSES),
        ClusterStatusSchema,
        "Cluster status",
        comes_later=True,
    ),
    SubResource(
        "bootstrap",
        OmniResourceAdapter(types.CLUSTER_BOOTSTRAP_STATUSES),
        ClusterBootstrapSchema,
        "Whether etcd was started",
        comes_later=True,
    ),
    SubResource(
        "endpoints",
        OmniResourceAdapter(types.CLUSTER_ENDPOINTS),
        ClusterEndpointSchema,
        "Addresses of the control plane",
        comes_later=True,
    ),
    SubResource(
        "kubernetes-status",
        OmniResourceAdapter(types.KUBERNETES_STATUSES),
        KubernetesStatusSchema,
        "Nodes and static pods as Kubernetes reports them",
        comes_later=True,
    ),
    SubResource(
        "controlplane-status",
        OmniResourceAdapter(types.CONTROL_PLANE_STATUSES),
        ControlPlaneStatusSchema,
        "Conditions of the control plane",
        id=label_names.control_planes,
        parent=label_names.cluster_of_control_planes,
        comes_later=True,
    ),
    SubResource(
        "diagnostics",
        OmniResourceAdapter(types.CLUSTER_DIAGNOSTICS),
        ClusterDiagnosticsSchema,
        "Machines with warnings of Talos",
        absent=_no_diagnostics,
    ),
    SubResource(
        "destroy-status",
        OmniResourceAdapter(types.CLUSTER_DESTROY_STATUSES),
        ClusterDestroyStatusSchema,
        "Progress of the cluster's removal",
    ),
    SubResource(
        "workload-proxy-status",
        OmniResourceAdapter(types.CLUSTER_WORKLOAD_PROXY_STATUSES),
        ClusterWorkloadProxyStatusSchema,
        "Services exposed by the workload proxy",
        comes_later=True,
    ),
    SubResource(
        "kubernetes-upgrade",
        UpgradeStatusAdapter(types.KUBERNETES_UPGRADE_STATUSES),
        KubernetesUpgradeStatusSchema,
        "Progress of a Kubernetes upgrade",
        comes_later=True,
    ),
    SubResource(
        "talos-upgrade",
        UpgradeStatusAdapter(types.TALOS_UPGRADE_STATUSES),
        TalosUpgradeStatusSchema,
        "Progress of a Talos upgrade",
        comes_later=True,
    ),
    SubResource(
        "secrets-rotation",
        OmniResourceAdapter(types.CLUSTER_SECRETS_ROTATION_STATUSES, id_is_of="cluster"),
        ClusterSecretsRotationStatusSchema,
        "Progress of the replacement of a certificate authority",
        comes_later=True,
    ),
    SubList(
        "kubernetes-nodes",
        nodes.KubernetesNodeAdapter(),
        KubernetesNodeSchema,
        "The cluster's Kubernetes nodes",
        filters=(nodes.OF_CLUSTER,),
        filter="cluster",
        collection="kubernetes-nodes",
        links=nodes.LINKS,
    ),
    SubCollection("machinesets", "machinesets", "cluster", "The cluster's machine sets"),
    SubCollection("machines", "machines", "cluster", "The cluster's machines"),
    SubCollection("etcdbackups", "etcdbackups", "cluster", "Backups of the cluster's etcd"),
    SubCollection("configpatches", "configpatches", "cluster", "The cluster's configuration patches"),
)
