"""The promises of the HTTP contract for clusters and what belongs to them."""

from __future__ import annotations

from omni_gateway.sdk.testing import EmbeddedOmni, ResourceConformance
from resources import configpatch, extensionsconfiguration, link, loadbalancerconfig

CLUSTER = "my-cluster"
LABEL = "omni.sidero.dev/cluster"


class InCluster(ResourceConformance):
    """A resource whose objects belong to a cluster."""

    cluster = CLUSTER

    def prepare(self, omni: EmbeddedOmni) -> None:
        omni.put("Clusters.omni.sidero.dev", CLUSTER, {"kubernetes_version": "1.34.1", "talos_version": "1.11.2"})


class TestConfigPatches(InCluster):
    plugin = configpatch.plugin
    second = {"id": "600-other", "data": "machine:\n  network: {}\n", "labels": {LABEL: CLUSTER}}


class TestExtensionsConfigurations(InCluster):
    plugin = extensionsconfiguration.plugin
    second = {"id": "my-cluster-other", "extensions": ["siderolabs/qemu-guest-agent"], "labels": {LABEL: CLUSTER}}


class TestLoadBalancerConfigs(ResourceConformance):
    plugin = loadbalancerconfig.plugin
    kept_by_back_end = dict.fromkeys(("create", "replace", "patch", "delete"), "Omni writes these itself")


class TestLinks(ResourceConformance):
    plugin = link.plugin
