"""Config patches that a cluster's features bring: disk encryption, and the embedded discovery service."""

from __future__ import annotations

import yaml

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id
from omni_gateway.simulator.network import DISCOVERY_ENDPOINT


def _encryption() -> Spec:
    key = [{"slot": 0, "kms": {"endpoint": "grpc://192.0.2.1:8090"}}]
    disk = {"provider": "luks2", "keys": key}
    return {"machine": {"systemDiskEncryption": {"state": disk, "ephemeral": disk}}}


def _discovery() -> Spec:
    return {"cluster": {"discovery": {"enabled": True, "registries": {"service": {"endpoint": DISCOVERY_ENDPOINT}}}}}


_PATCHES = (
    ("disk_encryption", "950-{}-encryption", "ClusterController", _encryption),
    ("use_embedded_discovery_service", "950-discovery-service-{}", "DiscoveryServiceConfigPatchController", _discovery),
)


class SystemPatches(Controller):
    """Key: a cluster's id."""

    name = "ClusterController"
    inputs = {kinds.CLUSTER: by_id}

    def reconcile(self, ctx: Context, key: str) -> None:
        """Write the patches of the features that are on, remove those of the others."""
        cluster = ctx.running(kinds.CLUSTER, key)
        features = cluster.spec.get("features") or {} if cluster else {}
        for feature, name, owner, content in _PATCHES:
            own = Context(ctx.store, owner)
            id_ = name.format(key)
            if cluster is not None and features.get(feature):
                data = yaml.dump(content(), Dumper=yaml.CSafeDumper, sort_keys=False)
                own.write(kinds.CONFIG_PATCH, id_, {"data": data}, {labels.CLUSTER: key, labels.SYSTEM_PATCH: ""})
            elif cluster is not None or ctx.find(kinds.CLUSTER, key) is None:
                _remove(own, id_)


def _remove(ctx: Context, id_: str) -> None:
    res = ctx.find(kinds.CONFIG_PATCH, id_)
    if res is not None and res.owner == ctx.owner:
        ctx.destroy(kinds.CONFIG_PATCH, id_)
