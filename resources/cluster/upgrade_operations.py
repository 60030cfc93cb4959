"""Upgrades under way, read from Omni's KubernetesUpgradeStatus and TalosUpgradeStatus."""

from __future__ import annotations

from dataclasses import dataclass

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Resource,
    ResourceSchema,
    enums,
    find,
    locks,
    types,
)
from resources.cluster.kubernetes_schemas import (
    KubernetesUpgradeStatusSchema,
    TalosUpgradeStatusSchema,
)
from resources.cluster.operations import BEING_REMOVED, get_cluster, make
from resources.cluster.reading import has_control_plane


@dataclass(frozen=True, slots=True)
class Upgrade:
    """One of the two things that can be upgraded: its operation kind, field of the Cluster, and status."""

    kind: str
    what: str
    field: str
    status_type: str
    done: int
    failed: int
    schema: ResourceSchema

    def read(self, omni: OmniClient, id: str) -> Operation:
        """Tell how far the cluster is from the version that it should have; ``NotFound`` when there is no cluster."""
        cluster = get_cluster(omni, id)
        wanted = cluster.spec.get(self.field, "")
        status = find(omni, self.status_type, id)
        if cluster.tearing_down:
            return make(self.kind, id, "failed", error=BEING_REMOVED)
        if status is None:
            return self._unstarted(omni, id, wanted)
        details = self.schema.render_spec(status.spec)
        phase = status.spec.get("phase", 0)
        if phase == self.failed:
            return make(self.kind, id, "failed", details["status"], details["error"], details)
        if phase == self.done and status.spec.get("last_upgrade_version") == wanted:
            return make(self.kind, id, "succeeded", f"{self.what} is at {wanted}.", details=details)
        return make(self.kind, id, "running", self._progress(cluster, status, wanted), details=details)

    def _unstarted(self, omni: OmniClient, id: str, wanted: str) -> Operation:
        """Omni keeps no status before the cluster's Kubernetes has answered once."""
        if has_control_plane(omni, id):
            return make(self.kind, id, "running", f"Waiting for the cluster to come up with {self.what} {wanted}.")
        return make(self.kind, id, "succeeded", f"Nothing runs yet; the cluster will start with {self.what} {wanted}.")

    def _progress(self, cluster: Resource, status: Resource, wanted: str) -> str:
        texts = [f"On the way to {self.what} {wanted}"]
        if locks.is_locked(cluster):
            texts.append("the cluster is locked, which holds upgrades back")
        texts.extend(status.spec[name] for name in ("status", "step") if status.spec.get(name))
        return "; ".join(texts)


KUBERNETES = Upgrade(
    "kubernetes-upgrade",
    "Kubernetes",
    "kubernetes_version",
    types.KUBERNETES_UPGRADE_STATUSES,
    enums.KubernetesUpgradePhase.Done,
    enums.KubernetesUpgradePhase.Failed,
    KubernetesUpgradeStatusSchema(),
)
TALOS = Upgrade(
    "talos-upgrade",
    "Talos",
    "talos_version",
    types.TALOS_UPGRADE_STATUSES,
    enums.TalosUpgradePhase.Done,
    enums.TalosUpgradePhase.Failed,
    TalosUpgradeStatusSchema(),
)

KUBERNETES_UPGRADE = OperationKind(
    KUBERNETES.kind, KUBERNETES.read, "A cluster on its way to the Kubernetes version that it should have"
)
TALOS_UPGRADE = OperationKind(TALOS.kind, TALOS.read, "A cluster on its way to the Talos version that it should have")
