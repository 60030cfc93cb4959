"""The promises of the HTTP contract for clusters and what belongs to them."""

from __future__ import annotations

from omni_gateway.sdk.testing import EmbeddedOmni, ResourceConformance
from resources import (
    cluster,
    configpatch,
    extensionsconfiguration,
    loadbalancerconfig,
    machineset,
    schematicconfiguration,
)

CLUSTER = "my-cluster"
LABEL = "omni.sidero.dev/cluster"
WORKER = "omni.sidero.dev/role-worker"
VERSIONS = {"talos_version": "1.13.7", "kubernetes_version": "1.35.6"}
WRITES = ("create", "replace", "patch", "delete")


class InCluster(ResourceConformance):
    """A resource whose objects belong to a cluster."""

    cluster = CLUSTER

    def prepare(self, omni: EmbeddedOmni) -> None:
        omni.put("Clusters.omni.sidero.dev", CLUSTER, VERSIONS)


class TestClusters(ResourceConformance):
    plugin = cluster.plugin
    not_removable = ("talos_version", "kubernetes_version")
    second = {"id": "other-cluster", **VERSIONS, "features": {"use_embedded_discovery_service": True}}


class TestConfigPatches(InCluster):
    plugin = configpatch.plugin
    second = {"id": "600-other", "data": "machine:\n  network: {}\n", "labels": {LABEL: CLUSTER}}


class TestExtensionsConfigurations(InCluster):
    plugin = extensionsconfiguration.plugin
    second = {"id": "my-cluster-other", "extensions": ["siderolabs/qemu-guest-agent"], "labels": {LABEL: CLUSTER}}


class TestMachineSets(InCluster):
    plugin = machineset.plugin
    second = {"id": "my-cluster-more", "update_strategy": "Unset", "labels": {LABEL: CLUSTER, WORKER: ""}}


class OfEachCluster(ResourceConformance):
    """A resource with one object for each cluster, by the cluster's id."""

    def prepare(self, omni: EmbeddedOmni) -> None:
        self.omni = omni


class TestLoadBalancerConfigs(ResourceConformance):
    plugin = loadbalancerconfig.plugin
    kept_by_back_end = dict.fromkeys(WRITES, "Omni writes these itself")


class TestSchematicConfigurations(ResourceConformance):
    plugin = schematicconfiguration.plugin
    kept_by_back_end = dict.fromkeys(WRITES, "Omni writes these itself")
