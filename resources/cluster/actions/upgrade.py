"""The upgrade actions: they change a version in the Cluster, and Omni's controllers upgrade the machines to it.

Writing ``last_upgrade_version`` back during an upgrade reverses it. The operations are read from Omni's
KubernetesUpgradeStatus and TalosUpgradeStatus.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Problem,
    Resource,
    ResourceSchema,
    Role,
    SpecSchema,
)
from omni_gateway.sdk.actions import Action, DryRunResult, Stage, State, WaitingFor, is_too_early, stages_in_order
from omni_gateway.sdk.adapters import find, find_labelled, object_url, resources_of, update
from omni_gateway.sdk.clusters import cluster_lock, member_waits
from omni_gateway.sdk.omni import enums, label_names, omni_errors, types
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.create.record import read_progress
from resources.cluster.operation import (
    BEING_REMOVED,
    active_clusters,
    cluster_operation,
    get_cluster,
    has_control_plane,
    is_bootstrapped,
)
from resources.cluster.schemas.kubernetes import KubernetesUpgradeProgressSchema, TalosUpgradeProgressSchema
from resources.cluster.versions import Parsed, Version

#: How long an upgrade waits until Omni knows the cluster's current version, and how often it asks, in seconds.
TOO_EARLY_SECONDS = 8.0
LOOK_SECONDS = 0.5
TOO_EARLY_RETRY_SECONDS = 5
#: Code of the problem with which Omni refuses a write, or a dry run predicts that it will.
REFUSED = "refused-by-omni"
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
        for cluster in active_clusters(omni):
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
            return cluster_operation(self.kind, id, "failed", error=BEING_REMOVED)
        if status is None:
            return self._unstarted(omni, cluster, wanted)
        details = self.schema.render_spec(status.spec)
        phase = status.spec.get("phase", 0)
        if phase == self.failed:
            failed = cluster_operation(self.kind, id, "failed", details["status"], details["error"], details)
            return replace(failed, stages=self._stages(omni, id, wanted, "failed"), hint=self._hint(id))
        if phase == self.done and status.spec.get("last_upgrade_version") == wanted:
            done = cluster_operation(self.kind, id, "succeeded", f"{self.what} is at {wanted}.", details=details)
            return replace(done, stages=self._stages(omni, id, wanted, "succeeded"))
        running = cluster_operation(self.kind, id, "running", self._progress(cluster, status, wanted), details=details)
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
        written = read_progress(omni, cluster)
        if has_control_plane(omni, id) or (written and written.missing and not written.stalled):
            progress = f"Waiting for the cluster to come up with {self.what} {wanted}."
            return cluster_operation(self.kind, id, "running", progress)
        progress = f"Nothing runs yet; the cluster will start with {self.what} {wanted}."
        return cluster_operation(self.kind, id, "succeeded", progress)

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


class KubernetesUpgradeActionSchema(SpecSchema):
    """The Kubernetes version to upgrade to."""

    version = Version(
        required=True,
        metadata={"description": "Kubernetes version to move to, with or without a leading `v`", "example": "1.35.6"},
    )


class TalosUpgradeActionSchema(SpecSchema):
    """The Talos version to upgrade to, and optionally a Kubernetes version."""

    version = Version(
        required=True,
        metadata={"description": "Talos version to move to, with or without a leading `v`", "example": "1.13.7"},
    )
    kubernetes_version = Version(
        metadata={
            "description": "Upgrade Kubernetes too, where the current one is not compatible with the new Talos",
            "example": "1.35.6",
        }
    )


def upgrade_kubernetes(
    adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Change a cluster's Kubernetes version after Omni's own checks have passed; 409 if they advise against it."""
    versions = {KUBERNETES.field: body["version"]}
    try:
        planned = _upgrade(adapter, id, KUBERNETES, versions, dry_run=True)
    except Problem as problem:
        if dry_run or problem.code != REFUSED:
            raise
        planned = None  # only a prediction: whether a real upgrade is refused, Omni itself decides
    if planned is None or (isinstance(planned, DryRunResult) and planned.after is not planned.before):
        _pre_check(adapter, id, body["version"])
    if dry_run and planned is not None:
        return planned
    return _upgrade(adapter, id, KUBERNETES, versions, dry_run=False)


def upgrade_talos(
    adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Change a cluster's Talos version, and its Kubernetes version too if requested."""
    versions = {TALOS.field: body["version"]}
    if body.get(KUBERNETES.field):
        versions[KUBERNETES.field] = body[KUBERNETES.field]
    return _upgrade(adapter, id, TALOS, versions, dry_run=dry_run)


def _upgrade(
    adapter: ClusterAdapter, id: str, upgrade: Upgrade, versions: Mapping[str, str], *, dry_run: bool
) -> Operation | DryRunResult:
    def mutate(existing: Resource) -> Resource:
        spec = {**existing.spec, **versions}
        return existing if spec == existing.spec else replace(existing, spec=spec)

    try:
        answer = update(adapter, id, mutate, dry_run=dry_run)
    except Problem as problem:
        raise _in_terms_of_the_action(adapter, id, problem, upgrade) from problem
    except omni_errors.InvalidArgument as error:
        raise _refused(adapter, id, upgrade, error) from error
    return answer if isinstance(answer, DryRunResult) else upgrade.read(adapter.omni, id)


def _pre_check(adapter: ClusterAdapter, id: str, version: str) -> None:
    """Run Omni's checks and raise 409 if they fail; a cluster that never ran has no status to check.

    Going back to the version that a running upgrade came from is not checked: it is the way out of a stuck upgrade.
    """
    status = find(adapter.omni, KUBERNETES.status_type, id)
    if status is None and not is_bootstrapped(adapter.omni, id):
        return
    if status is not None and status.spec.get("current_upgrade_version") and _came_from(status) == version:
        return
    try:
        verdict = _verdict(adapter, id, version)
    except omni_errors.InvalidArgument as error:
        raise _refused(adapter, id, KUBERNETES, error) from error
    if not verdict.ok:
        detail = f"Omni's checks advise against it: {verdict.reason}"
        raise Problem(409, "conflict", detail, hint="Fix that first, then try again.")


def _verdict(adapter: ClusterAdapter, id: str, version: str) -> Any:
    """Return the result of Omni's checks, retrying for up to ``TOO_EARLY_SECONDS``.

    For some seconds after a cluster came up Omni does not know its version yet. Raises 409 ``too-early`` if it takes
    longer.
    """
    ends = time.monotonic() + TOO_EARLY_SECONDS
    while True:
        try:
            return adapter.omni.management.kubernetes_upgrade_pre_checks(id, version)
        except omni_errors.FailedPrecondition as error:
            if not is_too_early(error):
                raise
            reason = error.detail
        except omni_errors.Unknown as error:
            # Omni's answer before it has any status of the cluster's Kubernetes.
            if find(adapter.omni, KUBERNETES.status_type, id) is not None:
                raise
            reason = error.detail
        if time.monotonic() + LOOK_SECONDS > ends:
            raise _too_early(reason)
        time.sleep(LOOK_SECONDS)


def _too_early(reason: str) -> Problem:
    return Problem(
        409,
        "too-early",
        f"Omni does not know yet which Kubernetes the cluster runs: {reason}",
        hint="It learns that some seconds after the cluster came up. Send the same request again then.",
        headers={"Retry-After": str(TOO_EARLY_RETRY_SECONDS)},
    )


def _came_from(status: Resource) -> str:
    return str(status.spec.get("last_upgrade_version", ""))


def _in_terms_of_the_action(adapter: ClusterAdapter, id: str, problem: Problem, upgrade: Upgrade) -> Problem:
    """Rename the field to that of the action's body, ``version``, and add the versions that Omni offers as hint."""
    field = upgrade.field
    if problem.errors and field in problem.errors:
        problem.errors = {("version" if name == field else name): texts for name, texts in problem.errors.items()}
        problem.hint = problem.hint or _offers(adapter, id, upgrade)
    elif problem.code == REFUSED:
        problem.hint = problem.hint or _offers(adapter, id, upgrade)
    return problem


def _refused(adapter: ClusterAdapter, id: str, upgrade: Upgrade, error: omni_errors.InvalidArgument) -> Problem:
    """Return a 422 problem for Omni's refusal of a version, with the versions that it offers instead."""
    hint = _offers(adapter, id, upgrade)
    return Problem(422, REFUSED, error.detail, hint=hint, grpc_code="INVALID_ARGUMENT")


def _offers(adapter: ClusterAdapter, id: str, upgrade: Upgrade) -> str:
    """Return a hint with the versions that Omni offers a cluster; it lists them once it knows the current version."""
    status = find(adapter.omni, upgrade.status_type, id)
    offered = (status.spec.get("upgrade_versions") or []) if status else []
    if offered:
        return f"Omni offers: {', '.join(sorted(offered, key=Parsed.of, reverse=True))}."
    url = object_url("clusters", id, upgrade.kind)
    return f"Omni offers no versions yet: it has not found out what the cluster runs. GET {url} lists them later."


KUBERNETES_UPGRADE = Action(
    "kubernetes-upgrade",
    role=Role.OPERATOR,
    summary="Move the cluster to another Kubernetes version",
    body=KubernetesUpgradeActionSchema,
    example={"version": "1.35.7"},
    operation=OperationKind(
        KUBERNETES.kind,
        KUBERNETES.read,
        "A cluster on its way to the Kubernetes version that it should have",
        under_way=KUBERNETES.under_way,
    ),
    description="Omni's own checks run first; where they advise against it the answer is 409 with their reason."
    " To reverse a running upgrade, name the version that it came from.",
    run=upgrade_kubernetes,
)
TALOS_UPGRADE = Action(
    "talos-upgrade",
    role=Role.OPERATOR,
    summary="Move the cluster's machines to another Talos version",
    body=TalosUpgradeActionSchema,
    example={"version": "1.13.8"},
    operation=OperationKind(
        TALOS.kind,
        TALOS.read,
        "A cluster on its way to the Talos version that it should have",
        under_way=TALOS.under_way,
    ),
    description="The Kubernetes version must be compatible with the new Talos: if it is not, name another one in"
    " `kubernetes_version`.",
    run=upgrade_talos,
)
