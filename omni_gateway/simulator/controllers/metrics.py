"""Counts over everything: machines, clusters and their phases, features in use. One object each for the whole Omni."""

from __future__ import annotations

from collections import Counter

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, always

_ID = "metrics"
_FEATURES = {
    "disable_public_discovery_service": "disable_public_discovery_service",
    "disk_encryption": "disk_encryption",
    "embedded_discovery_service": "use_embedded_discovery_service",
    "node_audit_skip": "enable_node_audit_skip",
    "workload_proxy": "enable_workload_proxy",
}
PLATFORMS = (
    *("akamai", "alibabacloud", "aws", "azure", "cloudstack", "digital-ocean", "equinixMetal", "exoscale", "gcp"),
    *("hcloud", "metal", "nocloud", "opennebula", "openstack", "oracle", "scaleway", "upcloud", "vmware", "vultr"),
)


class MachineMetrics(Controller):
    """Key: fixed."""

    name = "MachineStatusMetricsController"
    inputs = {kinds.MACHINE_STATUS: always(_ID)}

    def reconcile(self, ctx: Context, key: str) -> None:
        """Count the machines."""
        platforms: Counter[str] = Counter()
        registered = connected = allocated = cores = 0
        for res in ctx.all(kinds.MACHINE_STATUS):
            registered += 1
            connected += bool(res.spec.get("connected"))
            allocated += labels.CLUSTER in res.labels
            cores += int(res.labels.get(labels.PREFIX + "cores", "0"))
            platforms[res.labels.get(labels.PREFIX + "platform", "")] += 1
        unknown = {"false": registered, "true": 0, "unknown": 0}
        spec = {
            "registered_machines_count": registered,
            "connected_machines_count": connected,
            "allocated_machines_count": allocated,
            "platforms": {name: platforms[name] for name in PLATFORMS},
            "secure_boot_status": unknown,
            "uki_status": dict(unknown),
            "cores_count": cores,
        }
        ctx.write(kinds.MACHINE_STATUS_METRICS, _ID, spec)


class ClusterMetrics(Controller):
    """Key: fixed."""

    name = "ClusterMetricsController"
    inputs = {kinds.CLUSTER: always(_ID), kinds.CLUSTER_STATUS: always(_ID)}

    def reconcile(self, ctx: Context, key: str) -> None:
        """Count the clusters by feature and by phase."""
        clusters, statuses = ctx.all(kinds.CLUSTER), ctx.all(kinds.CLUSTER_STATUS)
        features = {
            name: sum(bool((res.spec.get("features") or {}).get(key)) for res in clusters)
            for name, key in _FEATURES.items()
        }
        ctx.write(kinds.CLUSTER_METRICS, _ID, {"features": features})
        phases = Counter(str(res.spec.get("phase", 0)) for res in statuses)
        spec = {"not_ready_count": sum(not res.spec.get("ready") for res in statuses), "phases": dict(phases)}
        Context(ctx.store, "ClusterStatusMetricsController").write(kinds.CLUSTER_STATUS_METRICS, _ID, spec)
