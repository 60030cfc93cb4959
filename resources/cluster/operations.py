"""A cluster's long work: coming up, being bootstrapped, going away. Each is read from Omni's own status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Problem,
    Resource,
    State,
    find,
    object_url,
    types,
)
from resources.cluster.reading import has_control_plane
from resources.cluster.status_schemas import ClusterDestroyStatusSchema, ClusterStatusSchema

BEING_REMOVED = "The cluster is being removed."
EMPTY = "There is no control plane yet; add its machine set to bring the cluster up."

_status_schema = ClusterStatusSchema()
_destroy_schema = ClusterDestroyStatusSchema()


def read_create(omni: OmniClient, id: str) -> Operation:
    """Tell how far a cluster is on its way up; one that loses health later is ``running`` again.

    Phase RUNNING says nothing of health and the API's readiness shows once too early (facts: lifecycle), so the end is
    when etcd has been started, every machine asked for is healthy, and both the cluster and its API say ready.
    """
    cluster = get_cluster(omni, id)
    status = find(omni, types.CLUSTER_STATUSES, id)
    details = _status_schema.render_spec(status.spec) if status else {}

    def operation(state: State, progress: str = "", error: str = "") -> Operation:
        return make("cluster-create", id, state, progress, error, details)

    if cluster.tearing_down:
        return operation("failed", error=BEING_REMOVED)
    bootstrapped = is_bootstrapped(omni, id)
    if status and bootstrapped and _is_up(status):
        return operation("succeeded", f"The cluster is up: {_count(status)}.")
    if not has_control_plane(omni, id):
        return operation("succeeded", EMPTY)
    return operation("running", _what_is_missing(status, bootstrapped))


def _is_up(status: Resource) -> bool:
    machines = status.spec.get("machines") or {}
    complete = machines.get("healthy", 0) >= machines.get("requested", 0) > 0
    return bool(complete and status.spec.get("ready") and status.spec.get("kubernetesAPIReady"))


def _count(status: Resource) -> str:
    machines = status.spec.get("machines") or {}
    return f"{machines.get('healthy', 0)} of {machines.get('requested', 0)} machines are healthy"


def _what_is_missing(status: Resource | None, bootstrapped: bool) -> str:
    if status is None:
        return "Omni has not looked at the cluster yet."
    steps = [
        (status.spec.get("has_connected_control_planes"), "no control plane machine is connected"),
        (bootstrapped, "etcd has not been started"),
        (status.spec.get("controlplaneReady"), "the control plane is not ready"),
        (status.spec.get("kubernetesAPIReady"), "the Kubernetes API does not answer"),
        (status.spec.get("ready"), "a machine set is not ready"),
    ]
    missing = [text for done, text in steps if not done]
    return "; ".join([_count(status), *missing]) + "."


def read_destroy(omni: OmniClient, id: str) -> Operation:
    """Tell how far the removal of a cluster is.

    A cluster that is not there has been removed, as far as anybody can tell; one that nobody is removing has no such
    operation, which is a 404.
    """
    cluster = find(omni, types.CLUSTERS, id)
    if cluster is None:
        return make("cluster-destroy", id, "succeeded", "There is no such cluster (any more).")
    if not cluster.tearing_down:
        raise Problem(404, "not-found", f"Nobody is removing cluster {id!r}.")
    status = find(omni, types.CLUSTER_DESTROY_STATUSES, id)
    waiting = f"Omni's controllers still hold it: {', '.join(sorted(cluster.finalizers))}."
    progress = (status.spec.get("phase") if status else "") or waiting
    details = {"finalizers": list(cluster.finalizers)} | (_destroy_schema.render_spec(status.spec) if status else {})
    return make("cluster-destroy", id, "running", progress, details=details)


def read_bootstrap(omni: OmniClient, id: str) -> Operation:
    """Tell whether a cluster's etcd has been started; Omni does that by itself as soon as it can."""
    cluster = get_cluster(omni, id)
    details = {"bootstrapped": is_bootstrapped(omni, id)}
    if details["bootstrapped"]:
        return make("cluster-bootstrap", id, "succeeded", "etcd was started.", details=details)
    if cluster.tearing_down:
        return make("cluster-bootstrap", id, "failed", error=BEING_REMOVED, details=details)
    progress = "Waiting for a control plane machine to connect." if has_control_plane(omni, id) else EMPTY
    return make("cluster-bootstrap", id, "running", progress, details=details)


def make(
    kind: str, id: str, state: State, progress: str = "", error: str = "", details: Mapping[str, Any] | None = None
) -> Operation:
    """Return an operation on the cluster ``id``."""
    return Operation(kind, id, state, progress, error, object_url("clusters", id), details or {})


def is_bootstrapped(omni: OmniClient, id: str) -> bool:
    """Whether Omni has started the cluster's etcd."""
    status = find(omni, types.CLUSTER_BOOTSTRAP_STATUSES, id)
    return bool(status and status.spec.get("bootstrapped"))


def get_cluster(omni: OmniClient, id: str) -> Resource:
    """Return the cluster; ``omni_errors.NotFound`` when there is none."""
    return Resource.from_omni(omni.resources.get(types.CLUSTERS, id))


CREATE = OperationKind("cluster-create", read_create, "A cluster on its way up, from POST to a healthy Kubernetes API")
DESTROY = OperationKind("cluster-destroy", read_destroy, "A cluster being removed; `succeeded` when it is not there")
BOOTSTRAP = OperationKind("cluster-bootstrap", read_bootstrap, "Whether a cluster's etcd has been started")
