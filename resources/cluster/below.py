"""What can be read below a cluster."""

from __future__ import annotations

from omni_gateway.sdk import (
    OmniResourceAdapter,
    Resource,
    SubCollection,
    SubList,
    SubResource,
    label_filter,
    names,
    types,
)
from resources.cluster import nodes
from resources.cluster.kubernetes_schemas import (
    KubernetesNodeSchema,
    KubernetesStatusSchema,
    KubernetesUpgradeStatusSchema,
    TalosUpgradeStatusSchema,
)
from resources.cluster.machine_set_schemas import ClusterMachineSetSchema
from resources.cluster.status_schemas import (
    ClusterBootstrapSchema,
    ClusterDestroyStatusSchema,
    ClusterDiagnosticsSchema,
    ClusterEndpointSchema,
    ClusterStatusSchema,
    ClusterWorkloadProxyStatusSchema,
    ControlPlaneStatusSchema,
)


def _nothing_to_say(cluster: str) -> Resource:
    """Omni keeps diagnostics only while a machine has some."""
    return Resource(cluster, type=types.CLUSTER_DIAGNOSTICS, version=0)


SUBRESOURCES: tuple[SubResource | SubList | SubCollection, ...] = (
    SubResource("status", OmniResourceAdapter(types.CLUSTER_STATUSES), ClusterStatusSchema, "How the cluster is"),
    SubResource(
        "bootstrap",
        OmniResourceAdapter(types.CLUSTER_BOOTSTRAP_STATUSES),
        ClusterBootstrapSchema,
        "Whether etcd was started",
    ),
    SubResource(
        "endpoints", OmniResourceAdapter(types.CLUSTER_ENDPOINTS), ClusterEndpointSchema, "Where the control plane is"
    ),
    SubResource(
        "kubernetes-status",
        OmniResourceAdapter(types.KUBERNETES_STATUSES),
        KubernetesStatusSchema,
        "Nodes and static pods as Kubernetes tells them",
    ),
    SubResource(
        "controlplane-status",
        OmniResourceAdapter(types.CONTROL_PLANE_STATUSES),
        ControlPlaneStatusSchema,
        "Conditions of the control plane",
        id=names.control_planes,
        parent=names.cluster_of_control_planes,
    ),
    SubResource(
        "diagnostics",
        OmniResourceAdapter(types.CLUSTER_DIAGNOSTICS),
        ClusterDiagnosticsSchema,
        "Machines that Talos warns about",
        absent=_nothing_to_say,
    ),
    SubResource(
        "destroy-status",
        OmniResourceAdapter(types.CLUSTER_DESTROY_STATUSES),
        ClusterDestroyStatusSchema,
        "How far the removal is",
    ),
    SubResource(
        "workload-proxy-status",
        OmniResourceAdapter(types.CLUSTER_WORKLOAD_PROXY_STATUSES),
        ClusterWorkloadProxyStatusSchema,
        "What the workload proxy exposes",
    ),
    SubResource(
        "kubernetes-upgrade",
        OmniResourceAdapter(types.KUBERNETES_UPGRADE_STATUSES),
        KubernetesUpgradeStatusSchema,
        "How far a Kubernetes upgrade is",
    ),
    SubResource(
        "talos-upgrade",
        OmniResourceAdapter(types.TALOS_UPGRADE_STATUSES),
        TalosUpgradeStatusSchema,
        "How far a Talos upgrade is",
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
    SubList(
        "machinesets",
        OmniResourceAdapter(types.MACHINE_SETS, sortable=("update_strategy",)),
        ClusterMachineSetSchema,
        "The cluster's machine sets",
        filters=(label_filter("cluster", names.LABEL_CLUSTER),),
        filter="cluster",
        collection="machinesets",
    ),
    SubCollection("machines", "machines", "cluster", "The cluster's machines"),
    SubCollection("etcdbackups", "etcdbackups", "cluster", "Backups of the cluster's etcd"),
    SubCollection("configpatches", "configpatches", "cluster", "The cluster's configuration patches"),
)
