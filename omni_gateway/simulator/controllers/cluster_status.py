"""The state of a cluster as a whole, summed up from its machine sets."""

from __future__ import annotations

from omni_gateway.simulator import kinds, labels
from omni_gateway.simulator.controller_runtime.context import Context, Controller, Spec, by_id, by_label
from omni_gateway.simulator.controllers import machine_set_status as sets
from omni_gateway.simulator.controllers.cluster_secrets import BREAK_GLASS_AT, KUBERNETES_CA_AT, TALOS_CA_AT
from omni_gateway.simulator.controllers.membership import control_planes, hardware, role_of
from omni_gateway.simulator.machines.hardware import CONTROL_PLANE
from omni_gateway.simulator.state.resource import Resource

UNKNOWN, SCALING_UP, SCALING_DOWN, RUNNING, DESTROYING = range(5)
_COUNTS = ("total", "healthy", "connected", "requested")


class ClusterStatus(Controller):
    """Key: a cluster's id."""

    name = "ClusterStatusController"
    inputs = {
        kinds.CLUSTER: by_id,
        kinds.MACHINE_SET_STATUS: by_label(labels.CLUSTER),
        kinds.LOAD_BALANCER_STATUS: by_id,
        kinds.CLUSTER_CONFIG_VERSION: by_id,
        kinds.CLUSTER_MACHINE_STATUS: by_label(labels.CLUSTER),
        kinds.EMULATED_SECRETS: by_id,
    }

    def reconcile(self, ctx: Context, key: str) -> None:
        """Sum up; the status outlives the cluster by a moment, and then goes too."""
        cluster = ctx.find(kinds.CLUSTER, key)
        if cluster is None:
            ctx.destroy(kinds.CLUSTER_STATUS, key)
            return
        secrets = ctx.find(kinds.EMULATED_SECRETS, key)
        taints, marks = _taints(secrets.spec if secrets else {})
        members = ctx.all(kinds.MACHINE_SET_STATUS, cluster=key)
        spec = self._machines(ctx, cluster, members) | self._versions(ctx, cluster)
        annotations = {labels.CLUSTER_LOCKED: ""} if labels.CLUSTER_LOCKED in cluster.annotations else {}
        ctx.write(
            kinds.CLUSTER_STATUS,
            key,
            spec,
            cluster.labels | taints,
            annotations=annotations | marks,
            finalizers=("DiscoveryServiceConfigPatchController", "ClusterBootstrapStatusController"),
        )

    def _machines(self, ctx: Context, cluster: Resource, members: list[Resource]) -> Spec:
        control = [res for res in members if role_of(res) == CONTROL_PLANE]
        balancer = ctx.find(kinds.LOAD_BALANCER_STATUS, cluster.id)
        planes = [hardware(ctx, res.id) for res in control_planes(ctx, cluster.id)]
        phase = _phase(cluster, members)
        alive = cluster.phase == "running"
        return {
            "available": any(res.spec["machines"]["total"] for res in control),
            "machines": {name: sum(res.spec["machines"][name] for res in members) for name in _COUNTS},
            "phase": phase,
            "ready": alive and bool(members) and bool(control) and all(res.spec["ready"] for res in members),
            "kubernetesAPIReady": balancer is not None and bool(balancer.spec.get("healthy")),
            "controlplaneReady": alive and bool(control) and all(res.spec["ready"] for res in control),
            "has_connected_control_planes": any(hw is not None and hw.connected for hw in planes),
        }

    def _versions(self, ctx: Context, cluster: Resource) -> Spec:
        features = cluster.spec.get("features") or {}
        first = ctx.find(kinds.CLUSTER_CONFIG_VERSION, cluster.id)
        return {
            "use_embedded_discovery_service": bool(features.get("use_embedded_discovery_service")),
            "disable_public_discovery_service": bool(features.get("disable_public_discovery_service")),
            "talos_version": cluster.spec.get("talos_version", ""),
            "kubernetes_version": cluster.spec.get("kubernetes_version", ""),
            "initial_talos_version": str(first.spec["version"]).removeprefix("v") if first else "",
        }


def _taints(secrets: Spec) -> tuple[dict[str, str], dict[str, str]]:
    """Return the labels and annotations of a cluster whose secrets others may have; new authorities end that."""
    replaced = [secrets.get(member) for member in (TALOS_CA_AT, KUBERNETES_CA_AT)]
    taints, marks = {}, {}
    if secrets.get("imported") and not all(replaced):
        taints[labels.TAINTED_BY_IMPORT] = ""
    given = secrets.get(BREAK_GLASS_AT)
    if given and not all(at and at > given for at in replaced):
        taints[labels.TAINTED_BY_BREAK_GLASS] = ""
        marks[labels.BREAK_GLASS_TIMESTAMP] = str(int(given))
    return taints, marks


def _phase(cluster: Resource, members: list[Resource]) -> int:
    if cluster.phase != "running":
        return DESTROYING
    if not any(res.spec["machines"]["requested"] or res.spec["machines"]["total"] for res in members):
        return UNKNOWN
    phases = {res.spec["phase"] for res in members}
    if sets.SCALING_UP in phases:
        return SCALING_UP
    return SCALING_DOWN if sets.SCALING_DOWN in phases else RUNNING
