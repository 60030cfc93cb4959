"""The keys of a Talos machine configuration, as far as a patch may name them.

A mapping lists the known keys; `{"*": …}` is a mapping with any keys; a list holds the schema of its items; SCALAR is
a single value, LIST a list of them, ANY whatever.
"""

from __future__ import annotations

from typing import Any

SCALAR, LIST, ANY = "scalar", "list", "any"
OPEN = {"*": ANY}
_STRINGS = {"*": SCALAR}


def _keys(names: str, **more: Any) -> dict[str, Any]:
    return dict.fromkeys(names.split(), SCALAR) | more


_CERTIFICATE = _keys("crt key")
_VOLUMES = [_keys("name hostPath mountPath readonly")]
_RESOURCES = {"requests": OPEN, "limits": OPEN}
_CONTROL_PLANE_POD = _keys(
    "image disabled", extraArgs=OPEN, extraVolumes=_VOLUMES, env=_STRINGS, resources=_RESOURCES, certSANs=LIST
)

_KUBELET = _keys(
    "image defaultRuntimeSeccompProfileEnabled registerWithFQDN skipNodeRegistration disableManifestsDirectory",
    clusterDNS=LIST,
    extraArgs=OPEN,
    extraMounts=[OPEN],
    extraConfig=OPEN,
    credentialProviderConfig=OPEN,
    nodeIP={"validSubnets": LIST},
)
_NETWORK = _keys(
    "hostname disableSearchDomain",
    interfaces=[OPEN],
    nameservers=LIST,
    searchDomains=LIST,
    extraHostEntries=[{"ip": SCALAR, "aliases": LIST}],
    kubespan=OPEN,
)
_INSTALL = _keys(
    "disk image wipe legacyBIOSSupport bootloader grubUseUKICmdline",
    diskSelector=OPEN,
    extraKernelArgs=LIST,
    extensions=ANY,
)
_FEATURES = _keys(
    "rbac stableHostname apidCheckExtKeyUsage diskQuotaSupport nodeAddressSortAlgorithm",
    kubernetesTalosAPIAccess=_keys("enabled", allowedRoles=LIST, allowedKubernetesNamespaces=LIST),
    kubePrism=_keys("enabled port"),
    hostDNS=_keys("enabled forwardKubeDNSToHost resolveMemberNames"),
    imageCache=OPEN,
)
_MACHINE: dict[str, Any] = _keys(
    "type token",
    ca=_CERTIFICATE,
    acceptedCAs=ANY,
    certSANs=LIST,
    controlPlane={"controllerManager": _keys("disabled"), "scheduler": _keys("disabled")},
    kubelet=_KUBELET,
    pods=[OPEN],
    network=_NETWORK,
    disks=[OPEN],
    install=_INSTALL,
    files=[OPEN],
    env=_STRINGS,
    time=_keys("disabled bootTimeout", servers=LIST),
    sysctls=_STRINGS,
    sysfs=_STRINGS,
    registries={"mirrors": OPEN, "config": OPEN},
    systemDiskEncryption={"state": OPEN, "ephemeral": OPEN},
    features=_FEATURES,
    udev={"rules": LIST},
    logging={"destinations": [OPEN]},
    kernel={"modules": [OPEN]},
    seccompProfiles=[OPEN],
    baseRuntimeSpecOverrides=OPEN,
    nodeLabels=_STRINGS,
    nodeAnnotations=_STRINGS,
    nodeTaints=_STRINGS,
)
_API_SERVER = _CONTROL_PLANE_POD | {
    "disablePodSecurityPolicy": SCALAR,
    "admissionControl": [OPEN],
    "auditPolicy": OPEN,
    "authorizationConfig": [OPEN],
}
_CLUSTER: dict[str, Any] = _keys(
    "id secret clusterName token aescbcEncryptionSecret secretboxEncryptionSecret allowSchedulingOnMasters"
    " allowSchedulingOnControlPlanes",
    controlPlane=_keys("endpoint localAPIServerPort"),
    network=_keys("dnsDomain", cni=OPEN, podSubnets=LIST, serviceSubnets=LIST),
    ca=_CERTIFICATE,
    acceptedCAs=ANY,
    aggregatorCA=_CERTIFICATE,
    serviceAccount=_keys("key"),
    apiServer=_API_SERVER,
    controllerManager=_CONTROL_PLANE_POD,
    proxy=_keys("disabled image mode", extraArgs=OPEN),
    scheduler=_CONTROL_PLANE_POD | {"config": OPEN},
    discovery=_keys("enabled", registries={"kubernetes": _keys("disabled"), "service": _keys("disabled endpoint")}),
    etcd=_keys("image subnet", ca=_CERTIFICATE, extraArgs=OPEN, advertisedSubnets=LIST, listenSubnets=LIST),
    coreDNS=_keys("disabled image"),
    externalCloudProvider=_keys("enabled", manifests=LIST),
    extraManifests=LIST,
    extraManifestHeaders=_STRINGS,
    inlineManifests=[OPEN],
    adminKubeconfig=_keys("certLifetime"),
)
V1ALPHA1: dict[str, Any] = _keys("version debug persist", machine=_MACHINE, cluster=_CLUSTER)

DOCUMENT_KINDS = frozenset(
    [
        "BlackholeRouteConfig",
        "BondConfig",
        "BridgeConfig",
        "DHCPv4Config",
        "DHCPv6Config",
        "DummyLinkConfig",
        "EnvironmentConfig",
        "EthernetConfig",
        "EventSinkConfig",
        "ExistingVolumeConfig",
        "ExtensionServiceConfig",
        "ExternalVolumeConfig",
        "FilesystemScrubConfig",
        "HCloudVIPConfig",
        "HostnameConfig",
        "ImageVerificationConfig",
        "KernelModuleConfig",
        "KmsgLogConfig",
        "KubeSpanEndpointsConfig",
        "Layer2VIPConfig",
        "LinkAliasConfig",
        "LinkConfig",
        "NetworkDefaultActionConfig",
        "NetworkRuleConfig",
        "OOMConfig",
        "PCIDriverRebindConfig",
        "RawVolumeConfig",
        "RegistryAuthConfig",
        "RegistryMirrorConfig",
        "RegistryTLSConfig",
        "ResolverConfig",
        "SideroLinkConfig",
        "StaticHostConfig",
        "SwapVolumeConfig",
        "SysctlConfig",
        "SysfsConfig",
        "TimeSyncConfig",
        "TrustedRootsConfig",
        "UdevRulesConfig",
        "UserVolumeConfig",
        "VLANConfig",
        "VolumeConfig",
        "WatchdogTimerConfig",
        "WireguardConfig",
        "ZswapConfig",
    ]
)
FORBIDDEN_KINDS = frozenset(
    [
        "UnattendedInstallConfig",
        "DiscoveryIdentityConfig",
        "KubeClusterConfig",
        "KubeEtcdEncryptionConfig",
        "KubeAPIServerCAConfig",
        "KubeAggregatorCAConfig",
    ]
)
FORBIDDEN_FIELDS = (
    *(f"cluster.{name}" for name in ("clusterName", "id", "controlPlane.endpoint", "token", "secret", "ca")),
    *(f"cluster.{name}" for name in ("aescbcEncryptionSecret", "secretboxEncryptionSecret", "acceptedCAs")),
    "cluster.serviceAccount",
    *(f"machine.{name}" for name in ("token", "ca", "type", "install.disk", "install.extensions", "acceptedCAs")),
)
