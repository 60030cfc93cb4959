"""The promises of the HTTP contract for objects that Omni makes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from omni_gateway.sdk.omni import types
from omni_gateway.sdk.testing import EmbeddedOmni
from resources import clustermachine, etcdbackup, exposedservice

from .built_in import BuiltIn
from .test_clusters import LABEL, VERSIONS, WRITES

SERVICES = "is an annotation of a Service in a cluster that runs"
NODES = "takes a free machine into a cluster, or out of it"


class TestClusterMachines(BuiltIn):
    plugin = clustermachine.plugin
    kept_by_back_end = dict.fromkeys(("replace", "patch"), "Omni's controllers own the objects")
    not_tried = dict.fromkeys(("create", "delete"), NODES)
    cluster = "with-members"

    def seed(self, omni: EmbeddedOmni) -> Sequence[str]:
        ids = [str(uuid.uuid4()) for _ in range(3)]
        for id in ids:
            omni.put(types.CLUSTER_MACHINES, id, labels={LABEL: self.cluster}, owner="kit")
        return ids


class TestEtcdBackups(BuiltIn):
    plugin = etcdbackup.plugin
    not_tried = {"create": "needs a cluster that runs"}
    cluster = "with-backups"

    def prepare(self, omni: EmbeddedOmni) -> None:
        omni.put(types.CLUSTERS, self.cluster, VERSIONS)

    def seed(self, omni: EmbeddedOmni) -> Sequence[str]:
        ids = [f"{self.cluster}-{moment}" for moment in (1785571200, 1785574800, 1785578400)]
        spec = {"created_at": "2026-08-01T08:00:00Z", "snapshot": "FFFFFFFF94FB6C65.snapshot", "size": 20971520}
        for id in ids:
            omni.put(types.ETCD_BACKUPS, id, spec, namespace="external", labels={LABEL: self.cluster})
        return ids


class TestExposedServices(BuiltIn):
    plugin = exposedservice.plugin
    not_tried = dict.fromkeys(WRITES, SERVICES)
    cluster = "exposing"

    def prepare(self, omni: EmbeddedOmni) -> None:
        omni.put(types.CLUSTERS, self.cluster, VERSIONS)

    def seed(self, omni: EmbeddedOmni) -> Sequence[str]:
        ids = [f"{self.cluster}/{name}.default" for name in ("grafana", "prometheus", "hubble")]
        for id in ids:
            omni.put(types.EXPOSED_SERVICES, id, {"port": 8080}, labels={LABEL: self.cluster}, owner="kit")
        return ids
