"""The promises of the HTTP contract for objects that Omni makes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import httpx
import pytest

from omni_gateway.sdk.omni import types
from omni_gateway.sdk.testing import EmbeddedOmni
from omni_gateway.simulator import kinds
from omni_gateway.simulator.network import siderolink_address
from omni_gateway.simulator.seed.fleet import machine_id
from omni_gateway.testing.gateways import Gateways
from resources import clustermachine, etcdbackup, exposedservice, machine

from .built_in import BuiltIn
from .test_clusters import LABEL, VERSIONS, WRITES

SERVICES = "is an annotation of a Service in a cluster that runs"
NODES = "takes a free machine into a cluster, or out of it"


class TestMachines(BuiltIn):
    plugin = machine.plugin
    unfit = {"test_a_patch_keeps_the_members_that_it_does_not_name": "a machine's annotations are Omni's own"}
    reader: ClassVar[httpx.Client]
    wait_until: ClassVar[Callable[..., Any]]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _reading(cls, gateways: Gateways, wait_until: Callable[..., Any]) -> None:
        cls.reader = gateways.in_process(cls.plugin).client("reader")
        cls.wait_until = staticmethod(wait_until)

    def seed(self, omni: EmbeddedOmni) -> Sequence[str]:
        """Let machines join that are like the first one of the fleet, and wait until all of their parts are read."""
        like = omni.spec(kinds.EMULATED_MACHINE, machine_id(0)) or {}
        ids = [str(uuid.uuid4()) for _ in range(3)]
        for id in ids:
            omni.put(types.MACHINE_LABELS, id)
            omni.put(kinds.EMULATED_MACHINE, id, {**like, "address": siderolink_address(id)})
            omni.put(types.LINKS, id, {"connected": True})
        self.wait_until(lambda: all(map(self._is_complete, ids)), 60, "a read of the machines with their statuses")
        return ids

    def _is_complete(self, id: str) -> bool:
        return bool(self.reader.get(f"machines/{id}").json().get("labels"))


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
