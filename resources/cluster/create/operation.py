"""The operation of a cluster's creation, read from Omni's own status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from omni_gateway.sdk import OmniClient, Operation, OperationKind, Resource
from omni_gateway.sdk.actions import State, WaitingFor, stages_in_order
from omni_gateway.sdk.adapters import find, object_url
from omni_gateway.sdk.clusters import member_waits
from omni_gateway.sdk.omni import types
from resources.cluster.create.record import read_progress
from resources.cluster.operation import (
    BEING_REMOVED,
    EMPTY,
    active_clusters,
    cluster_operation,
    get_cluster,
    has_control_plane,
    is_bootstrapped,
)
from resources.cluster.schemas.status import ClusterStatusSchema

_status_schema = ClusterStatusSchema()


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
    written = read_progress(omni, cluster)
    missing = written.missing if written else ()
    bootstrapped = is_bootstrapped(omni, id)
    up = bool(status and bootstrapped and _is_up(status))

    def operation(state: State, progress: str = "", error: str = "", hint: str = "") -> Operation:
        steps = [("all parts written", not missing), *_steps(status, bootstrapped, up)]
        return replace(
            cluster_operation("cluster-create", id, state, progress, error, details),
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


def _creations(omni: OmniClient) -> Iterator[Operation]:
    """Return the creations that are running, or failed because parts were never written."""
    for cluster in active_clusters(omni):
        operation = _creation(omni, cluster)
        if operation.state != "succeeded":
            yield operation


CREATE = OperationKind(
    "cluster-create",
    read_create,
    "A cluster on its way up, from POST to a healthy Kubernetes API",
    under_way=_creations,
)
