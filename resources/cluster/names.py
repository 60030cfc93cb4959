"""Omni's names for what belongs to a cluster: resource types, labels, annotations, ids."""

from __future__ import annotations

from typing import Final

_SUFFIX: Final = ".omni.sidero.dev"

CLUSTERS: Final = f"Clusters{_SUFFIX}"
CLUSTER_BOOTSTRAP_STATUSES: Final = f"ClusterBootstrapStatuses{_SUFFIX}"
CLUSTER_DESTROY_STATUSES: Final = f"ClusterDestroyStatuses{_SUFFIX}"
CLUSTER_DIAGNOSTICS: Final = f"ClusterDiagnostics{_SUFFIX}"
CLUSTER_ENDPOINTS: Final = f"ClusterEndpoints{_SUFFIX}"
CLUSTER_KUBERNETES_NODES: Final = f"ClusterKubernetesNodes{_SUFFIX}"
CLUSTER_MACHINE_IDENTITIES: Final = f"ClusterMachineIdentities{_SUFFIX}"
CLUSTER_STATUSES: Final = f"ClusterStatuses{_SUFFIX}"
CLUSTER_UUIDS: Final = f"ClusterUUIDs{_SUFFIX}"
CLUSTER_WORKLOAD_PROXY_STATUSES: Final = f"ClusterWorkloadProxyStatuses{_SUFFIX}"
CONFIG_PATCHES: Final = f"ConfigPatches{_SUFFIX}"
CONTROL_PLANE_STATUSES: Final = f"ControlPlaneStatuses{_SUFFIX}"
ETCD_BACKUPS: Final = f"EtcdBackups{_SUFFIX}"
FEATURES_CONFIGS: Final = f"FeaturesConfigs{_SUFFIX}"
KUBERNETES_STATUSES: Final = f"KubernetesStatuses{_SUFFIX}"
KUBERNETES_UPGRADE_STATUSES: Final = f"KubernetesUpgradeStatuses{_SUFFIX}"
MACHINE_CLASSES: Final = f"MachineClasses{_SUFFIX}"
MACHINE_SETS: Final = f"MachineSets{_SUFFIX}"
MACHINE_SET_NODES: Final = f"MachineSetNodes{_SUFFIX}"
MACHINE_STATUSES: Final = f"MachineStatuses{_SUFFIX}"
TALOS_UPGRADE_STATUSES: Final = f"TalosUpgradeStatuses{_SUFFIX}"
TALOS_VERSIONS: Final = f"TalosVersions{_SUFFIX}"

EXTERNAL_NAMESPACE: Final = "external"
FEATURES_CONFIG_ID: Final = "features-config"

_PREFIX: Final = "omni.sidero.dev/"

LABEL_CLUSTER: Final = f"{_PREFIX}cluster"
LABEL_CLUSTER_UUID: Final = f"{_PREFIX}cluster-uuid"
LABEL_MACHINE_SET: Final = f"{_PREFIX}machine-set"
LABEL_CONTROL_PLANE: Final = f"{_PREFIX}role-controlplane"
LABEL_WORKER: Final = f"{_PREFIX}role-worker"
LABEL_AVAILABLE: Final = f"{_PREFIX}available"

ANNOTATION_LOCKED: Final = f"{_PREFIX}cluster-locked"
ANNOTATION_IMPORTING: Final = f"{_PREFIX}cluster-import-is-in-progress"
ANNOTATION_NAME: Final = "name"


def control_planes(cluster: str) -> str:
    """Return the one id that Omni takes for a cluster's control plane set; its ControlPlaneStatus has it too."""
    return f"{cluster}-control-planes"


def cluster_of_control_planes(id: str) -> str:
    """Return the cluster whose control plane set has this id."""
    return id.removesuffix("-control-planes")


def workers(cluster: str, name: str = "") -> str:
    """Return the id of a worker set: ``<cluster>-workers`` or ``<cluster>-workers-<name>``."""
    return f"{cluster}-workers-{name}" if name else f"{cluster}-workers"
