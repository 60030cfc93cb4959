"""The resource types that the simulator's machinery reads and writes, and the namespaces they live in."""

from __future__ import annotations

_SUFFIX = ".omni.sidero.dev"

CLUSTER = "Clusters" + _SUFFIX
CLUSTER_STATUS = "ClusterStatuses" + _SUFFIX
CLUSTER_UUID = "ClusterUUIDs" + _SUFFIX
CLUSTER_CONFIG_VERSION = "ClusterConfigVersions" + _SUFFIX
CLUSTER_BOOTSTRAP_STATUS = "ClusterBootstrapStatuses" + _SUFFIX
CLOUD_PLATFORM_CONFIG = "CloudPlatformConfigs" + _SUFFIX
CLUSTER_ENDPOINT = "ClusterEndpoints" + _SUFFIX
CLUSTER_WORKLOAD_PROXY_STATUS = "ClusterWorkloadProxyStatuses" + _SUFFIX
CLUSTER_KUBERNETES_NODES = "ClusterKubernetesNodes" + _SUFFIX
CLUSTER_DESTROY_STATUS = "ClusterDestroyStatuses" + _SUFFIX
CLUSTER_METRICS = "ClusterMetrics" + _SUFFIX
CLUSTER_STATUS_METRICS = "ClusterStatusMetrics" + _SUFFIX
CLUSTER_SECRETS_ROTATION_STATUS = "ClusterSecretsRotationStatuses" + _SUFFIX
CLUSTER_KUBERNETES_MANIFESTS_STATUS = "ClusterKubernetesManifestsStatuses" + _SUFFIX
CLUSTER_MACHINE = "ClusterMachines" + _SUFFIX
CLUSTER_MACHINE_STATUS = "ClusterMachineStatuses" + _SUFFIX
CLUSTER_MACHINE_IDENTITY = "ClusterMachineIdentities" + _SUFFIX
CLUSTER_MACHINE_CONFIG_STATUS = "ClusterMachineConfigStatuses" + _SUFFIX
CLUSTER_MACHINE_CONFIG_PATCHES = "ClusterMachineConfigPatches" + _SUFFIX
CLUSTER_MACHINE_TALOS_VERSION = "ClusterMachineTalosVersions" + _SUFFIX
QUIRKS = "Quirks" + _SUFFIX
REDACTED_CLUSTER_MACHINE_CONFIG = "RedactedClusterMachineConfigs" + _SUFFIX
CONFIG_PATCH = "ConfigPatches" + _SUFFIX
CONNECTION_PARAMS = "ConnectionParams" + _SUFFIX
CONTROL_PLANE_STATUS = "ControlPlaneStatuses" + _SUFFIX
DISCOVERY_AFFILIATE_DELETE_TASK = "DiscoveryAffiliateDeleteTasks" + _SUFFIX
DEFAULT_JOIN_TOKEN = "DefaultJoinTokens" + _SUFFIX
ETCD_BACKUP = "EtcdBackups" + _SUFFIX
ETCD_BACKUP_STATUS = "EtcdBackupStatuses" + _SUFFIX
ETCD_BACKUP_OVERALL_STATUS = "EtcdBackupOverallStatuses" + _SUFFIX
ETCD_BACKUP_STORE_STATUS = "EtcdBackupStoreStatuses" + _SUFFIX
ETCD_MANUAL_BACKUP = "EtcdManualBackups" + _SUFFIX
EXPOSED_SERVICE = "ExposedServices" + _SUFFIX
EXTENSIONS_CONFIGURATION = "ExtensionsConfigurations" + _SUFFIX
FEATURES_CONFIG = "FeaturesConfigs" + _SUFFIX
IMAGE_PULL_REQUEST = "ImagePullRequests" + _SUFFIX
IMAGE_PULL_STATUS = "ImagePullStatuses" + _SUFFIX
IMPORTED_CLUSTER_SECRETS = "ImportedClusterSecrets" + _SUFFIX
INFRA_MACHINE_BMC_CONFIG = "InfraMachineBMCConfigs" + _SUFFIX
INFRA_MACHINE_CONFIG = "InfraMachineConfigs" + _SUFFIX
INSTALLATION_MEDIA = "InstallationMedias" + _SUFFIX
INSTALLATION_MEDIA_CONFIG = "InstallationMediaConfigs" + _SUFFIX
JOIN_TOKEN = "JoinTokens" + _SUFFIX
JOIN_TOKEN_STATUS = "JoinTokenStatuses" + _SUFFIX
KERNEL_ARGS = "KernelArgs" + _SUFFIX
KERNEL_ARGS_STATUS = "KernelArgsStatuses" + _SUFFIX
KUBERNETES_HEALTH_CHECK = "KubernetesHealthChecks" + _SUFFIX
KUBERNETES_MANIFEST_GROUP = "KubernetesManifestGroups" + _SUFFIX
KUBERNETES_NODE_AUDIT_RESULT = "KubernetesNodeAuditResults" + _SUFFIX
KUBERNETES_STATUS = "KubernetesStatuses" + _SUFFIX
KUBERNETES_UPGRADE_MANIFEST_STATUS = "KubernetesUpgradeManifestStatuses" + _SUFFIX
KUBERNETES_UPGRADE_STATUS = "KubernetesUpgradeStatuses" + _SUFFIX
KUBERNETES_VERSION = "KubernetesVersions" + _SUFFIX
LINK = "Links" + _SUFFIX
LINK_STATUS = "LinkStatuses" + _SUFFIX
LOAD_BALANCER_CONFIG = "LoadBalancerConfigs" + _SUFFIX
LOAD_BALANCER_STATUS = "LoadBalancerStatuses" + _SUFFIX
MACHINE = "Machines" + _SUFFIX
MACHINE_CLASS = "MachineClasses" + _SUFFIX
MACHINE_CONFIG_DIFF = "MachineConfigDiffs" + _SUFFIX
MACHINE_CONFIG_EXTRACTION_STATUS = "MachineConfigExtractionStatuses" + _SUFFIX
MACHINE_CONFIG_GEN_OPTIONS = "MachineConfigGenOptions" + _SUFFIX
MACHINE_EXTENSIONS = "MachineExtensions" + _SUFFIX
MACHINE_EXTENSIONS_STATUS = "MachineExtensionsStatuses" + _SUFFIX
MACHINE_INSTALL_DISK_CONFIG = "MachineInstallDiskConfigs" + _SUFFIX
MACHINE_INSTALL_DISK_STATUS = "MachineInstallDiskStatuses" + _SUFFIX
MACHINE_LABELS = "MachineLabels" + _SUFFIX
MACHINE_PENDING_UPDATES = "MachinePendingUpdates" + _SUFFIX
MACHINE_REQUEST = "MachineRequests" + _SUFFIX
MACHINE_REQUEST_SET = "MachineRequestSets" + _SUFFIX
MACHINE_SET = "MachineSets" + _SUFFIX
MACHINE_SET_DESTROY_STATUS = "MachineSetDestroyStatuses" + _SUFFIX
MACHINE_SET_NODE = "MachineSetNodes" + _SUFFIX
MACHINE_SET_STATUS = "MachineSetStatuses" + _SUFFIX
MACHINE_STATUS = "MachineStatuses" + _SUFFIX
MACHINE_STATUS_LABELS = "MachineStatusLabels" + _SUFFIX
MACHINE_STATUS_LINK = "MachineStatusLinks" + _SUFFIX
MACHINE_STATUS_METRICS = "MachineStatusMetrics" + _SUFFIX
MACHINE_STATUS_SNAPSHOT = "MachineStatusSnapshots" + _SUFFIX
MACHINE_UPGRADE_STATUS = "MachineUpgradeStatuses" + _SUFFIX
MAINTENANCE_CONFIG_STATUS = "MaintenanceConfigStatuses" + _SUFFIX
METAL_PLATFORM_CONFIG = "MetalPlatformConfigs" + _SUFFIX
NODE_FORCE_DESTROY_REQUEST = "NodeForceDestroyRequests" + _SUFFIX
NODE_UNIQUE_TOKEN = "NodeUniqueTokens" + _SUFFIX
NODE_UNIQUE_TOKEN_STATUS = "NodeUniqueTokenStatuses" + _SUFFIX
ONGOING_TASK = "OngoingTasks" + _SUFFIX
ROTATE_KUBERNETES_CA = "RotateKubernetesCAs" + _SUFFIX
ROTATE_TALOS_CA = "RotateTalosCAs" + _SUFFIX
SBC_CONFIG = "SBCConfigs" + _SUFFIX
SCHEMATIC_CONFIGURATION = "SchematicConfigurations" + _SUFFIX
SIDEROLINK_API_CONFIG = "SiderolinkAPIConfigs" + _SUFFIX
SYS_VERSION = "SysVersions.system.sidero.dev"
TALOS_EXTENSIONS = "TalosExtensions" + _SUFFIX
TALOS_UPGRADE_STATUS = "TalosUpgradeStatuses" + _SUFFIX
TALOS_VERSION = "TalosVersions" + _SUFFIX
UPGRADE_ROLLOUT = "UpgradeRollouts" + _SUFFIX

# The simulator's own bookkeeping. No catalogue lists these types, so no caller can name them.
EMULATED_MACHINE = "EmulatedMachines.simulator.local"
AUDIT_ENTRY = "AuditEntries.simulator.local"
AUDIT_HEAD = "AuditHeads.simulator.local"
BOOTSTRAP_MANIFESTS = "BootstrapManifests.simulator.local"
EMULATED_FLEET = "EmulatedFleets.simulator.local"
EMULATED_LOG = "EmulatedLogs.simulator.local"
EMULATED_SECRETS = "EmulatedSecrets.simulator.local"
WANTED_CONFIG = "WantedConfigs.simulator.local"
KUBERNETES_SERVICE = "KubernetesServices.simulator.local"

_ELSEWHERE = {
    AUDIT_ENTRY: "simulator",
    AUDIT_HEAD: "simulator",
    BOOTSTRAP_MANIFESTS: "simulator",
    CLOUD_PLATFORM_CONFIG: "virtual",
    CLUSTER_METRICS: "ephemeral",
    CLUSTER_STATUS_METRICS: "ephemeral",
    ETCD_BACKUP: "external",
    ETCD_BACKUP_STATUS: "metrics",
    ETCD_BACKUP_OVERALL_STATUS: "metrics",
    ETCD_BACKUP_STORE_STATUS: "ephemeral",
    ETCD_MANUAL_BACKUP: "ephemeral",
    INSTALLATION_MEDIA: "ephemeral",
    LINK_STATUS: "ephemeral",
    MACHINE_REQUEST: "infra-provider",
    MACHINE_SET_DESTROY_STATUS: "ephemeral",
    MACHINE_STATUS_LINK: "metrics",
    MACHINE_STATUS_METRICS: "ephemeral",
    METAL_PLATFORM_CONFIG: "virtual",
    ONGOING_TASK: "ephemeral",
    QUIRKS: "virtual",
    SBC_CONFIG: "virtual",
    SYS_VERSION: "ephemeral",
    UPGRADE_ROLLOUT: "ephemeral",
    EMULATED_FLEET: "simulator",
    EMULATED_MACHINE: "simulator",
    EMULATED_LOG: "simulator",
    EMULATED_SECRETS: "simulator",
    WANTED_CONFIG: "simulator",
    KUBERNETES_SERVICE: "simulator",
}


GRPC_TUNNEL_CONFIG = "GRPCTunnelConfigs" + _SUFFIX
ACCESS_POLICY = "AccessPolicies" + _SUFFIX
SAML_LABEL_RULE = "SAMLLabelRules" + _SUFFIX
ETCD_BACKUP_S3_CONFIG = "EtcdBackupS3Configs" + _SUFFIX


def namespace_of(kind: str) -> str:
    """Return the namespace in which the resources of a type live."""
    return _ELSEWHERE.get(kind, "default")
