"""The actions that replace a cluster's certificate authorities, and their operations.

A rotation is requested by an object of its type with the cluster's id. Omni begins one for each new version of that
object, notes the version on the ClusterSecretsRotationStatus, and serves one authority at a time. The request is
written by the action; the operation is read from the request and that status.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from omni_gateway.sdk import (
    OmniClient,
    OmniResourceAdapter,
    Operation,
    OperationKind,
    Problem,
    Resource,
    Role,
)
from omni_gateway.sdk.actions import Action, DryRunResult, State, stages_in_order
from omni_gateway.sdk.adapters import find, object_url, resources_of, update
from omni_gateway.sdk.clusters import cluster_lock
from omni_gateway.sdk.omni import enums, label_names, omni_errors, types
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.operation import BEING_REMOVED, active_clusters, cluster_operation, get_cluster
from resources.cluster.schemas.status import ClusterSecretsRotationStatusSchema
from resources.cluster.versions import Parsed

#: Annotation of a request: when it was made. It makes each request another version of the object; omnictl sets it too.
REQUESTED_AT = "timestamp"
_OLDEST_TALOS = "1.7.0"
_FIRST_VERSION = "1"
_status_schema = ClusterSecretsRotationStatusSchema()
_Phase = enums.SecretRotationPhase
_Component = enums.SecretRotationComponent


@dataclass(frozen=True, slots=True)
class Rotation:
    """The rotation of one authority: operation kind, words, type of its request, and where Omni notes its version."""

    kind: str
    what: str
    request_type: str
    component: enums.SecretRotationComponent
    served_version: str

    def read(self, omni: OmniClient, id: str) -> Operation:
        """Return the operation of the last requested rotation; raises 404 if there was none, or no cluster."""
        cluster = get_cluster(omni, id)
        request = find(omni, self.request_type, id)
        if request is None:
            raise Problem(404, "not-found", f"No rotation of the {self.what} of cluster {id!r} was requested.")
        return self._of(omni, cluster, request)

    def under_way(self, omni: OmniClient) -> Iterator[Operation]:
        """Return the rotations that are requested or running."""
        clusters = {cluster.id: cluster for cluster in active_clusters(omni)}
        for request in resources_of(omni.resources.list(self.request_type)):
            if request.id in clusters:
                operation = self._of(omni, clusters[request.id], request)
                if not operation.done:
                    yield operation

    def is_pending(self, omni: OmniClient, status: Resource) -> bool:
        """Return whether a rotation was requested that Omni has not begun."""
        request = find(omni, self.request_type, status.id)
        return request is not None and status.annotations.get(self.served_version) != str(request.version)

    def _of(self, omni: OmniClient, cluster: Resource, request: Resource) -> Operation:
        id = cluster.id
        status = find(omni, types.CLUSTER_SECRETS_ROTATION_STATUSES, id)
        details = _status_schema.render_spec(status.spec if status else {})
        phase = status.spec.get("phase", _Phase.OK) if status else _Phase.OK
        begun = status is not None and status.annotations.get(self.served_version) == str(request.version)

        def operation(state: State, progress: str = "", error: str = "") -> Operation:
            reached = len(_Phase) if state == "succeeded" else phase if begun else _Phase.OK
            steps = [
                ("begun by Omni", begun),
                ("new authority trusted", reached > _Phase.PRE_ROTATE),
                ("certificates issued by the new authority", reached > _Phase.ROTATE),
                ("old authority not trusted any more", reached > _Phase.POST_ROTATE),
            ]
            made = cluster_operation(self.kind, id, state, progress, error, details)
            return replace(made, stages=stages_in_order(steps, state))

        if cluster.tearing_down:
            return operation("failed", error=BEING_REMOVED)
        if begun and phase == _Phase.OK:
            return operation("succeeded", f"The {self.what} is replaced.")
        if not begun:
            return operation("running", "Requested; Omni has not begun it.")
        texts = (details[name] for name in ("status", "step", "error"))
        task = find(omni, types.ONGOING_TASKS, f"{id}-secret-rotation")
        running = operation("running", "; ".join(text for text in texts if text))
        locked = cluster_lock.is_locked(cluster)
        hint = f"Unlock it: POST {object_url('clusters', id, 'actions', 'unlock')}." if locked else ""
        return replace(running, started=task.created if task else None, hint=hint)


TALOS_CA = Rotation(
    "talos-ca-rotation",
    "Talos CA",
    types.ROTATE_TALOS_CAS,
    _Component.TALOS_CA,
    label_names.ANNOTATION_TALOS_CA_VERSION,
)
KUBERNETES_CA = Rotation(
    "kubernetes-ca-rotation",
    "Kubernetes CA",
    types.ROTATE_KUBERNETES_CAS,
    _Component.KUBERNETES_CA,
    label_names.ANNOTATION_KUBERNETES_CA_VERSION,
)
_ROTATIONS = (TALOS_CA, KUBERNETES_CA)


def rotate_talos_ca(
    adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Replace the authority of a cluster's Talos API."""
    return _rotate(adapter, id, TALOS_CA, dry_run=dry_run)


def rotate_kubernetes_ca(
    adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Operation | DryRunResult:
    """Replace the authority of a cluster's Kubernetes API."""
    return _rotate(adapter, id, KUBERNETES_CA, dry_run=dry_run)


def _rotate(adapter: ClusterAdapter, id: str, rotation: Rotation, *, dry_run: bool) -> Operation | DryRunResult:
    """Write the request of a rotation; 409 where Omni would take it and not carry it out."""
    omni = adapter.omni
    cluster = adapter.get(id)
    _check_cluster(cluster)
    served = _check_none_runs(omni, id).annotations.get(rotation.served_version)
    if cluster_lock.is_locked(cluster):
        raise cluster_lock.locked_problem(id)
    _check_ready(omni, id)
    previous = find(omni, rotation.request_type, id)
    planned = _stamped(previous or Resource(id, type=rotation.request_type))
    if dry_run:
        return DryRunResult(cluster, cluster, additional_objects=[planned])
    _request(OmniResourceAdapter(rotation.request_type).bind(omni), previous, planned, served)
    return rotation.read(omni, id)


def _stamped(request: Resource) -> Resource:
    return replace(request, annotations={**request.annotations, REQUESTED_AT: str(time.time_ns())})


def _request(requests: OmniResourceAdapter, previous: Resource | None, planned: Resource, served: str | None) -> None:
    """Write a request unless another one was written since ``previous`` was read (409).

    Omni begins a rotation where the version of the request is not the one that it has ``served``. A new object has the
    first version: if that was served, of a request that was removed, it is written again at once.
    """

    def mutate(existing: Resource) -> Resource:
        if previous is not None and existing.version != previous.version:
            raise _just_requested(planned.id)
        return _stamped(existing)

    try:
        if previous is None:
            requests.create(planned, {})
        if previous is not None or served == _FIRST_VERSION:
            update(requests, planned.id, mutate)
    except (omni_errors.AlreadyExists, omni_errors.InvalidArgument) as error:
        raise _just_requested(planned.id) from error


def _just_requested(cluster: str) -> Problem:
    return _conflict(f"Another rotation of a CA of cluster {cluster!r} has just been requested.", cluster)


def _check_cluster(cluster: Resource) -> None:
    """Raise 409 for a cluster that is being removed, or whose Talos is too old."""
    if cluster.tearing_down:
        raise Problem(409, "tearing-down", f"{cluster.id!r} is being removed and takes no writes.")
    talos = cluster.spec.get("talos_version", "")
    if Parsed.of(talos) < Parsed.of(_OLDEST_TALOS):
        text = f"Cluster {cluster.id!r} runs Talos {talos}; its authorities can be replaced from {_OLDEST_TALOS} on."
        hint = f"POST {object_url('clusters', cluster.id, 'actions', 'talos-upgrade')} first."
        raise Problem(409, "conflict", text, hint=hint)


def _check_none_runs(omni: OmniClient, id: str) -> Resource:
    """Return the status of a cluster's rotations.

    Raises 409 if one of either authority is requested or running, or the cluster has none to replace.
    """
    status = find(omni, types.CLUSTER_SECRETS_ROTATION_STATUSES, id)
    if status is None:
        raise _not_ready(id, "has not come up yet")
    phase = _Phase(status.spec.get("phase", _Phase.OK))
    for rotation in _ROTATIONS:
        if phase != _Phase.OK and status.spec.get("component") == rotation.component:
            text = f"The {rotation.what} of cluster {id!r} is being rotated (phase {phase.name})."
            raise _conflict(text, id, f"operations/{rotation.kind}/{id}")
        if rotation.is_pending(omni, status):
            text = f"A rotation of the {rotation.what} of cluster {id!r} is requested; Omni has not begun it."
            raise _conflict(text, id, f"operations/{rotation.kind}/{id}")
    return status


def _check_ready(omni: OmniClient, id: str) -> None:
    """Raise 409 for a cluster that is not ready: Omni would begin, and wait with some machines changed already."""
    status = find(omni, types.CLUSTER_STATUSES, id)
    spec = status.spec if status else {}
    if not spec.get("ready") or spec.get("phase") != enums.ClusterPhase.RUNNING:
        raise _not_ready(id, "is not ready")


def _not_ready(id: str, how: str) -> Problem:
    text = f"Cluster {id!r} {how}: Omni would begin, and wait for it half way."
    return Problem(409, "conflict", text, hint=f"GET {object_url('clusters', id, 'status')} shows what it waits for.")


def _conflict(text: str, id: str, where: str = "") -> Problem:
    url = f"/api/v1/{where}" if where else object_url("clusters", id, "secrets-rotation")
    return Problem(409, "conflict", text, hint=f"Wait until it has ended: GET {url}.")


_DESCRIPTION = (
    " Machine by machine, control planes first, in three phases; `secrets-rotation` shows it. 409 while a rotation of"
    " either authority is requested or running, and for a cluster that is locked, not ready or on a Talos before 1.7."
)

ROTATE_TALOS_CA = Action(
    "rotate-talos-ca",
    role=Role.OPERATOR,
    summary="Replace the certificate authority of the cluster's Talos API",
    description="Ends what talosconfigs with a certificate of the old one allow." + _DESCRIPTION,
    operation=OperationKind(
        TALOS_CA.kind, TALOS_CA.read, "A cluster whose Talos CA is being replaced", under_way=TALOS_CA.under_way
    ),
    run=rotate_talos_ca,
)
ROTATE_KUBERNETES_CA = Action(
    "rotate-kubernetes-ca",
    role=Role.OPERATOR,
    summary="Replace the certificate authority of the cluster's Kubernetes API",
    description="Ends what kubeconfigs with a certificate of the old one allow." + _DESCRIPTION,
    operation=OperationKind(
        KUBERNETES_CA.kind,
        KUBERNETES_CA.read,
        "A cluster whose Kubernetes CA is being replaced",
        under_way=KUBERNETES_CA.under_way,
    ),
    run=rotate_kubernetes_ca,
)
