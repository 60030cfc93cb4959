"""Operations of clusters: creation, bootstrap and removal, each read from Omni's own status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import (
    OmniClient,
    Operation,
    OperationKind,
    Resource,
)
from omni_gateway.sdk.actions import (
    State,
    WaitingFor,
    removal_of,
    stages_in_order,
)
from omni_gateway.sdk.adapters import find, object_url, resources_of
from omni_gateway.sdk.clusters import member_waits
from omni_gateway.sdk.omni import label_names, types
from resources.cluster import creation_record
from resources.cluster.control_plane import has_control_plane
from resources.cluster.status_schemas import ClusterDestroyStatusSchema, ClusterStatusSchema

BEING_REMOVED = "The cluster is being removed."
EMPTY = "There is no control plane yet; add its machine set to bring the cluster up."

_status_schema = ClusterStatusSchema()
_destroy_schema = ClusterDestroyStatusSchema()


def read_create(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a cluster's creation; a cluster that loses health later is ``running`` again.

    Phase RUNNING does not imply health, and the API's readiness is set once too early. So it has succeeded when all
    requested parts are written, etcd has been started, every requested machine is healthy, and both the cluster and its
    API are ready.
    """
    return _creation(omni, get_cluster(omni, id))


def _creation(omni: OmniClient, cluster: Resource) -> Operation:
    id = cluster.id
    status = find(omni, types.CLUSTER_STATUSES, id)
    details = _status_schema.render_spec(status.spec) if status else {}
    written = creation_record.read_progress(omni, cluster)
    missing = written.missing if written else ()
    bootstrapped = is_bootstrapped(omni, id)
    up = bool(status and bootstrapped and _is_up(status))

    def operation(state: State, progress: str = "", error: str = "", hint: str = "") -> Operation:
        steps = [("all parts written", not missing), *_steps(status, bootstrapped, up)]
        return replace(
            make("cluster-create", id, state, progress, error, details),
            started=cluster.created,
            stages=stages_in_order(steps, state),
            hint=hint,
        )

    if cluster.tearing_down:
        return operation("failed", error=BEING_REMOVED)
    if written is not None and missing:
        names_of = ", ".join(f"{type.partition('.')[0]} {part!r}" for type, part in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        total = written.written + len(missing)
        if written.stalled:
            error = f"The request that made the cluster ended before all was written. Missing: {names_of}{more}."
            url = object_url("clusters", id)
            hint = f"DELETE {url} and send the request again, or make what is missing."
            return operation("failed", error=error, hint=hint)
        return operation("running", f"{written.written} of {total} parts are written. Missing: {names_of}{more}.")
    if up and status:
        return operation("succeeded", f"The cluster is up: {_count(status)}.")
    if not has_control_plane(omni, id):
        return operation("succeeded", EMPTY)
    waiting = member_waits.unready_members(omni, id)
    hint = _hint_for_creation(waiting)
    return replace(operation("running", _what_is_missing(status, bootstrapped), hint=hint), waiting_for=waiting)


def _hint_for_creation(waiting: Sequence[WaitingFor]) -> str:
    lost = member_waits.unreachable(waiting)
    if not lost:
        return ""
    return f"Omni cannot reach {', '.join(object_url('machines', machine) for machine in lost[:3])}: start it."


def _is_up(status: Resource) -> bool:
    machines = status.spec.get("machines") or {}
    complete = machines.get("healthy", 0) >= machines.get("requested", 0) > 0
    return bool(complete and status.spec.get("ready") and status.spec.get("kubernetesAPIReady"))


def _count(status: Resource) -> str:
    machines = status.spec.get("machines") or {}
    return f"{machines.get('healthy', 0)} of {machines.get('requested', 0)} machines are healthy"


def _steps(status: Resource | None, bootstrapped: bool, up: bool) -> list[tuple[str, bool]]:
    spec = status.spec if status else {}
    return [
        ("a control plane machine connected", up or bool(spec.get("has_connected_control_planes"))),
        ("etcd started", bootstrapped),
        ("control plane ready", up or bool(spec.get("controlplaneReady"))),
        ("Kubernetes API ready", up or bool(spec.get("kubernetesAPIReady"))),
        ("all machines healthy", up),
    ]


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


def _destruction(omni: OmniClient, cluster: Resource) -> Operation:
    """Return the operation of a cluster's removal, with the machines that it waits for."""
    id = cluster.id
    status = find(omni, types.CLUSTER_DESTROY_STATUSES, id)
    waiting = member_waits.leaving_members(omni, label_names.LABEL_CLUSTER, id)
    held = f"Omni's controllers still hold it: {', '.join(sorted(cluster.finalizers)) or 'none of them'}."
    progress = member_waits.with_unreachable((status.spec.get("phase") if status else "") or held, waiting)
    details = {"finalizers": list(cluster.finalizers)} | (_destroy_schema.render_spec(status.spec) if status else {})
    force = f"DELETE {object_url('clusters', id)}?force=disconnected"
    steps = [("machines wiped", not waiting), ("released by Omni's controllers", False), ("removed", False)]
    return replace(
        make("cluster-destroy", id, "running", progress, details=details),
        # Omni writes this status when the teardown begins; the Cluster itself is written again and again after that.
        started=status.created if status else None,
        stages=stages_in_order(steps, "running"),
        waiting_for=waiting,
        hint=member_waits.hint_for_unreachable(waiting, force),
    )


def read_bootstrap(omni: OmniClient, id: str) -> Operation:
    """Return the operation of a cluster's bootstrap: succeeded once Omni, which does it by itself, has started etcd."""
    return _bootstrap(omni, get_cluster(omni, id))


def _bootstrap(omni: OmniClient, cluster: Resource) -> Operation:
    id = cluster.id
    details = {"bootstrapped": is_bootstrapped(omni, id)}
    status = find(omni, types.CLUSTER_STATUSES, id)
    connected = bool(status and status.spec.get("has_connected_control_planes")) or details["bootstrapped"]
    has_set = has_control_plane(omni, id)

    def operation(state: State, progress: str = "", error: str = "") -> Operation:
        steps = [
            ("control plane machine set made", has_set),
            ("a control plane machine connected", connected),
            ("etcd started", details["bootstrapped"]),
        ]
        made = make("cluster-bootstrap", id, state, progress, error, details)
        return replace(made, started=cluster.created, stages=stages_in_order(steps, state))

    if details["bootstrapped"]:
        return operation("succeeded", "etcd was started.")
    if cluster.tearing_down:
        return operation("failed", error=BEING_REMOVED)
    return operation("running", "Waiting for a control plane machine to connect." if has_set else EMPTY)


def make(
    kind: str, id: str, state: State, progress: str = "", error: str = "", details: Mapping[str, Any] | None = None
) -> Operation:
    """Return an operation on the cluster ``id``."""
    return Operation(kind, id, state, progress, error, object_url("clusters", id), details or {})


def is_bootstrapped(omni: OmniClient, id: str) -> bool:
    """Return whether Omni has started the cluster's etcd."""
    status = find(omni, types.CLUSTER_BOOTSTRAP_STATUSES, id)
    return bool(status and status.spec.get("bootstrapped"))


def get_cluster(omni: OmniClient, id: str) -> Resource:
    """Return the cluster; raises ``omni_errors.NotFound`` if there is none."""
    return Resource.from_omni(omni.resources.get(types.CLUSTERS, id))


def clusters_of(omni: OmniClient, *, tearing_down: bool) -> list[Resource]:
    """Return the clusters that are being removed, or those that are not."""
    return [item for item in resources_of(omni.resources.list(types.CLUSTERS)) if item.tearing_down == tearing_down]


def _creations(omni: OmniClient) -> Iterator[Operation]:
    """Return the creations that are running, or failed because parts were never written."""
    for cluster in clusters_of(omni, tearing_down=False):
        operation = _creation(omni, cluster)
        if operation.state != "succeeded":
            yield operation


def _bootstraps(omni: OmniClient) -> Iterator[Operation]:
    """Return the bootstraps under way; a cluster without a control plane has none, it waits for its user."""
    for cluster in clusters_of(omni, tearing_down=False):
        operation = _bootstrap(omni, cluster)
        if operation.state != "succeeded" and has_control_plane(omni, cluster.id):
            yield operation


CREATE = OperationKind(
    "cluster-create",
    read_create,
    "A cluster on its way up, from POST to a healthy Kubernetes API",
    under_way=_creations,
)
DESTROY = removal_of(types.CLUSTERS, "cluster", "clusters", _destruction)
BOOTSTRAP = OperationKind(
    "cluster-bootstrap", read_bootstrap, "Whether a cluster's etcd has been started", under_way=_bootstraps
)
