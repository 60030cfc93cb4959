"""Operations of upgrades, read from Omni's KubernetesUpgradeStatus and TalosUpgradeStatus."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Resource,
    ResourceSchema,
)
from omni_gateway.sdk.actions import (
    Stage,
    State,
    WaitingFor,
    stages_in_order,
)
from omni_gateway.sdk.adapters import (
    find,
    find_labelled,
    object_url,
    resources_of,
)
from omni_gateway.sdk.clusters import cluster_lock, member_waits
from omni_gateway.sdk.omni import enums, label_names, types
from resources.cluster import creation_record
from resources.cluster.control_plane import has_control_plane
from resources.cluster.kubernetes_schemas import (
    KubernetesUpgradeProgressSchema,
    TalosUpgradeProgressSchema,
)
from resources.cluster.operations import BEING_REMOVED, clusters_of, get_cluster, make

#: Machines that are not at the version, and whether each is a control plane.
Outdated = list[tuple[WaitingFor, bool]]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """One of the two kinds of upgrade, Talos or Kubernetes: operation kind, field of the Cluster, and status type."""

    kind: str
    what: str
    field: str
    status_type: str
    done: int
    failed: int
    schema: ResourceSchema
    task: str
    outdated: Callable[[OmniClient, str, str], Outdated]

    def read(self, omni: OmniClient, id: str) -> Operation:
        """Return the operation of the upgrade to the Cluster's version; raises ``NotFound`` if there is no cluster."""
        return self._of(omni, get_cluster(omni, id))

    def under_way(self, omni: OmniClient) -> Iterator[Operation]:
        """Return the upgrades that are running or failed; the first start of a new cluster is none."""
        statuses = {item.id: item for item in resources_of(omni.resources.list(self.status_type))}
        for cluster in clusters_of(omni, tearing_down=False):
            status = statuses.get(cluster.id)
            if status is None or not status.spec.get("last_upgrade_version"):
                continue
            operation = self._of(omni, cluster)
            if operation.state != "succeeded":
                yield operation

    def _of(self, omni: OmniClient, cluster: Resource) -> Operation:
        id = cluster.id
        wanted = cluster.spec.get(self.field, "")
        status = find(omni, self.status_type, id)
        if cluster.tearing_down:
            return make(self.kind, id, "failed", error=BEING_REMOVED)
        if status is None:
            return self._unstarted(omni, cluster, wanted)
        details = self.schema.render_spec(status.spec)
        phase = status.spec.get("phase", 0)
        if phase == self.failed:
            failed = make(self.kind, id, "failed", details["status"], details["error"], details)
            return replace(failed, stages=self._stages(omni, id, wanted, "failed"), hint=self._hint(id))
        if phase == self.done and status.spec.get("last_upgrade_version") == wanted:
            done = make(self.kind, id, "succeeded", f"{self.what} is at {wanted}.", details=details)
            return replace(done, stages=self._stages(omni, id, wanted, "succeeded"))
        running = make(self.kind, id, "running", self._progress(cluster, status, wanted), details=details)
        waiting = self.outdated(omni, id, wanted)
        hint = (
            f"Unlock it: POST {object_url('clusters', id, 'actions', 'unlock')}."
            if cluster_lock.is_locked(cluster)
            else ""
        )
        return replace(
            running,
            started=self._started(omni, id),
            stages=self._stages(omni, id, wanted, "running"),
            waiting_for=[machine for machine, _ in waiting],
            hint=hint,
        )

    def _unstarted(self, omni: OmniClient, cluster: Resource, wanted: str) -> Operation:
        """Return the operation of a cluster without an upgrade status: its Kubernetes has never answered.

        Without a control plane nothing runs, so the cluster counts as being at the version, unless its parts are still
        being written.
        """
        id = cluster.id
        written = creation_record.read_progress(omni, cluster)
        if has_control_plane(omni, id) or (written and written.missing and not written.stalled):
            return make(self.kind, id, "running", f"Waiting for the cluster to come up with {self.what} {wanted}.")
        return make(self.kind, id, "succeeded", f"Nothing runs yet; the cluster will start with {self.what} {wanted}.")

    def _started(self, omni: OmniClient, id: str) -> str | None:
        """Return when Omni started the upgrade, from its ongoing task; None if there is no task."""
        task = find(omni, types.ONGOING_TASKS, f"{id}-{self.task}")
        return task.created if task else None

    def _stages(self, omni: OmniClient, id: str, wanted: str, state: State) -> tuple[Stage, ...]:
        if state == "succeeded":
            return stages_in_order([("control planes", True), ("workers", True)], state)
        roles = {is_control_plane for _, is_control_plane in self.outdated(omni, id, wanted)}
        return stages_in_order([("control planes", True not in roles), ("workers", not roles)], state)

    def _hint(self, id: str) -> str:
        url = object_url("clusters", id, "actions", self.kind)
        return f"Mend what the error names; Omni tries again. To turn back, name the version before: POST {url}."

    def _progress(self, cluster: Resource, status: Resource, wanted: str) -> str:
        texts = [f"On the way to {self.what} {wanted}"]
        if cluster_lock.is_locked(cluster):
            texts.append("the cluster is locked, which holds upgrades back")
        texts.extend(status.spec[name] for name in ("status", "step") if status.spec.get(name))
        return "; ".join(texts)


def _on_other_talos(omni: OmniClient, cluster: str, wanted: str) -> Outdated:
    """Return the machines that run another Talos than the wanted one, and whether each is a control plane."""
    found = []
    for status in find_labelled(omni, types.MACHINE_STATUSES, label_names.LABEL_CLUSTER, cluster):
        running = str(status.spec.get("talos_version", "")).removeprefix("v")
        if running != wanted:
            found.append((_waiting(omni, status.id, f"It runs Talos {running}."), _is_control_plane(status)))
    return found


def _on_other_kubernetes(omni: OmniClient, cluster: str, wanted: str) -> Outdated:
    """Return the machines on which a component of Kubernetes has another version than the wanted one."""
    seen = find(omni, types.KUBERNETES_STATUSES, cluster)
    if seen is None:
        return []
    pods = {node.get("nodename"): node.get("static_pods") or () for node in seen.spec.get("static_pods") or ()}
    machines = {}
    for status in find_labelled(omni, types.CLUSTER_MACHINE_STATUSES, label_names.LABEL_CLUSTER, cluster):
        machines[status.labels.get(label_names.LABEL_NODE_NAME, "")] = status
    found = []
    for node in seen.spec.get("nodes") or ():
        machine = machines.get(node.get("nodename"))
        versions = {"kubelet": node.get("kubelet_version", "")}
        versions |= {pod.get("app", ""): pod.get("version", "") for pod in pods.get(node.get("nodename"), ())}
        old = [f"{app} {version}" for app, version in versions.items() if version.removeprefix("v") != wanted]
        if machine is not None and old:
            waiting = _waiting(omni, machine.id, f"It runs {', '.join(old)}.")
            found.append((waiting, _is_control_plane(machine)))
    return found


def _is_control_plane(status: Resource) -> bool:
    return label_names.LABEL_CONTROL_PLANE in status.labels


def _waiting(omni: OmniClient, machine: str, reason: str) -> WaitingFor:
    connected = member_waits.is_connected(omni, machine)
    return WaitingFor(machine, reason if connected else f"{reason} Omni cannot reach it.", connected=connected)


KUBERNETES = Upgrade(
    "kubernetes-upgrade",
    "Kubernetes",
    "kubernetes_version",
    types.KUBERNETES_UPGRADE_STATUSES,
    enums.KubernetesUpgradePhase.Done,
    enums.KubernetesUpgradePhase.Failed,
    KubernetesUpgradeProgressSchema(),
    "kubernetes-update",
    _on_other_kubernetes,
)
TALOS = Upgrade(
    "talos-upgrade",
    "Talos",
    "talos_version",
    types.TALOS_UPGRADE_STATUSES,
    enums.TalosUpgradePhase.Done,
    enums.TalosUpgradePhase.Failed,
    TalosUpgradeProgressSchema(),
    "talos-update",
    _on_other_talos,
)

KUBERNETES_UPGRADE = OperationKind(
    KUBERNETES.kind,
    KUBERNETES.read,
    "A cluster on its way to the Kubernetes version that it should have",
    under_way=KUBERNETES.under_way,
)
TALOS_UPGRADE = OperationKind(
    TALOS.kind,
    TALOS.read,
    "A cluster on its way to the Talos version that it should have",
    under_way=TALOS.under_way,
)
