"""The promises of the HTTP contract for clusters and what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk.testing import EmbeddedOmni, GatewayUnderTest
from resources import (
    cluster,
    configpatch,
    etcdmanualbackup,
    extensionsconfiguration,
    imagepullrequest,
    loadbalancerconfig,
    machineset,
    machinesetnode,
    schematicconfiguration,
)

from .built_in import BuiltIn

CLUSTER = "my-cluster"
LABEL = "omni.sidero.dev/cluster"
WORKER = "omni.sidero.dev/role-worker"
VERSIONS = {"talos_version": "1.13.7", "kubernetes_version": "1.35.6"}
WRITES = ("create", "replace", "patch", "delete")


class InCluster(BuiltIn):
    """A resource whose objects belong to a cluster."""

    cluster = CLUSTER

    def prepare(self, omni: EmbeddedOmni) -> None:
        omni.put("Clusters.omni.sidero.dev", CLUSTER, VERSIONS)


class TestClusters(BuiltIn):
    plugin = cluster.plugin
    not_removable = ("talos_version", "kubernetes_version")
    second = {"id": "other-cluster", **VERSIONS, "features": {"use_embedded_discovery_service": True}}


class TestConfigPatches(InCluster):
    plugin = configpatch.plugin
    under_gunicorn = True  # objects of Omni's
    second = {"id": "600-other", "data": "machine:\n  network: {}\n", "labels": {LABEL: CLUSTER}}

    def test_a_test_of_ones_own_has_the_gateway_under_gunicorn(self, gateway: GatewayUnderTest) -> None:
        assert gateway.client("reader").get("machineclasses").status_code == 200
        assert gateway.client(None).get("machineclasses").status_code == 401


class TestExtensionsConfigurations(InCluster):
    plugin = extensionsconfiguration.plugin
    second = {"id": "my-cluster-other", "extensions": ["siderolabs/qemu-guest-agent"], "labels": {LABEL: CLUSTER}}


class TestMachineSets(InCluster):
    plugin = machineset.plugin
    second = {"id": "my-cluster-more", "update_strategy": "Unset", "labels": {LABEL: CLUSTER, WORKER: ""}}


class TestMachineSetNodes(BuiltIn):
    plugin = machinesetnode.plugin
    cluster = "of-nodes"  # no other class counts on its machines
    example = {
        "id": "2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01",
        "labels": {LABEL: "of-nodes", "omni.sidero.dev/machine-set": "of-nodes-workers", WORKER: ""},
    }

    def prepare(self, omni: EmbeddedOmni) -> None:
        omni.put("Clusters.omni.sidero.dev", self.cluster, VERSIONS)
        labels = {LABEL: self.cluster, WORKER: ""}
        omni.put("MachineSets.omni.sidero.dev", f"{self.cluster}-workers", {}, labels=labels)


class TestEtcdManualBackups(BuiltIn):
    plugin = etcdmanualbackup.plugin
    made_by_back_end = ("backup_at",)

    def prepare(self, omni: EmbeddedOmni) -> None:
        type(self).omni = omni

    def body(self, number: int, token: str) -> Mapping[str, Any]:
        id = f"backed-up-{token}-{number}"
        self.omni.put("Clusters.omni.sidero.dev", id, VERSIONS)
        return {"id": id}


class TestImagePullRequests(BuiltIn):
    plugin = imagepullrequest.plugin
    kept_by_back_end = dict.fromkeys(WRITES, "Omni writes these itself")


class TestLoadBalancerConfigs(BuiltIn):
    plugin = loadbalancerconfig.plugin
    kept_by_back_end = dict.fromkeys(WRITES, "Omni writes these itself")


class TestSchematicConfigurations(BuiltIn):
    plugin = schematicconfiguration.plugin
    kept_by_back_end = dict.fromkeys(WRITES, "Omni writes these itself")
