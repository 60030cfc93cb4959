"""The action bootstrap: start etcd from a backup. An empty etcd needs no action, Omni starts it by itself.

Omni accepts a bootstrap spec only when the control plane's machine set is created. So without a control plane set (a
new cluster, or one whose set was deleted because its etcd is lost) the action creates it with the backup; with one the
action sends the spec to Omni, which refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from marshmallow import fields, validate

from omni_gateway.sdk import (
    FieldErrors,
    OmniClient,
    OmniResourceAdapter,
    Operation,
    OperationKind,
    Problem,
    Resource,
    Role,
    SpecSchema,
)
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import Action, DryRunResult, State, stages_in_order
from omni_gateway.sdk.adapters import (
    cluster_of_uuid,
    find,
    scope_error,
    update,
)
from omni_gateway.sdk.clusters import cluster_lock
from omni_gateway.sdk.omni import label_names, omni_errors, types
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.create.backups import check_backup, uuid_of
from resources.cluster.operation import (
    BEING_REMOVED,
    EMPTY,
    active_clusters,
    cluster_operation,
    get_cluster,
    has_control_plane,
    is_bootstrapped,
)
from resources.cluster.schemas.create import UpdateStrategy

_HINT = (
    "Omni starts a control plane from a backup only when its machine set is created: delete the machine set first"
    " (that resets its machines), repeat this call, then add the machines to it."
)


class EtcdBackupSourceSchema(SpecSchema):
    """An etcd backup."""

    snapshot = fields.String(
        required=True,
        validate=validate.Length(min=1, max=4096),
        metadata={
            "description": "Name of the backup, from GET clusters/{id}/etcdbackups",
            "example": "FFFFFFFF94FB6C65.snapshot",
        },
    )
    cluster_uuid = fields.String(
        validate=validate.Length(min=1, max=64),
        metadata={
            "description": "UUID of the cluster that was backed up; this cluster's own unless given",
            "example": "e1bd8aea-5e5e-4c1e-8e0b-3c3b2c5a6f11",
        },
    )


class ClusterBootstrapActionSchema(SpecSchema):
    """The backup to start etcd from; an empty object, or no body, changes nothing and returns the bootstrap's state."""

    body_optional: ClassVar[bool] = True
    machineset = fields.String(
        validate=validate.Length(min=1, max=1024),
        metadata={
            "description": "The control plane's machine set; it is `<cluster>-control-planes`",
            "example": "my-cluster-control-planes",
        },
    )
    backup = wire.Message(
        EtcdBackupSourceSchema, metadata={"description": "The backup that etcd starts from; left out: nothing changes"}
    )


def bootstrap(adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Operation | DryRunResult:
    """Start a cluster's etcd from a backup; without one, return the operation of the bootstrap and change nothing."""
    cluster = adapter.get(id)
    set_id = label_names.control_planes(id)
    if body.get("machineset", set_id) != set_id:
        raise Problem(422, "validation", errors={"machineset": [f"The control plane's machine set is {set_id!r}."]})
    backup = body.get("backup")
    if backup is not None:
        if cluster.tearing_down:
            raise Problem(409, "tearing-down", f"{id!r} is being removed and takes no writes.")
        cluster_lock.refuse_change(cluster, cluster)
        planned = _restore(adapter, id, _checked(adapter, id, backup), dry_run=dry_run)
        if dry_run:
            return DryRunResult(cluster, cluster, additional_objects=[planned])
    return DryRunResult(cluster, cluster) if dry_run else read_bootstrap(adapter.omni, id)


def _checked(adapter: ClusterAdapter, id: str, backup: Mapping[str, str]) -> dict[str, str]:
    """Return the bootstrap spec for a backup; 422 if Omni does not have it, 403 for a cluster out of scope."""
    spec = {
        "cluster_uuid": backup.get("cluster_uuid") or uuid_of(adapter.omni, id),
        "snapshot": backup["snapshot"],
    }
    source = cluster_of_uuid(adapter.omni, spec["cluster_uuid"])
    if source is not None and not adapter.scope.allows(source):
        raise scope_error(adapter.scope)
    refusals = FieldErrors()
    check_backup(adapter.omni, spec, "backup", refusals)
    refusals.raise_if_any()
    return spec


def _restore(adapter: ClusterAdapter, cluster: str, spec: dict[str, str], *, dry_run: bool) -> Resource:
    """Set the bootstrap spec of the control plane's machine set, creating the set if there is none."""
    sets = OmniResourceAdapter(types.MACHINE_SETS).bind(adapter.omni)
    existing = find(adapter.omni, types.MACHINE_SETS, label_names.control_planes(cluster))
    if existing is None:
        planned = _control_plane(cluster, spec)
        if not dry_run:
            sets.create(planned, {})
        return planned
    planned = replace(existing, spec={**existing.spec, "bootstrap_spec": spec})
    if not dry_run and planned.spec != existing.spec:
        _write_spec(sets, existing.id, spec)
    return planned


def _control_plane(cluster: str, spec: dict[str, str]) -> Resource:
    return Resource(
        id=label_names.control_planes(cluster),
        type=types.MACHINE_SETS,
        spec={"update_strategy": int(UpdateStrategy.Rolling), "bootstrap_spec": spec},
        labels={label_names.LABEL_CLUSTER: cluster, label_names.LABEL_CONTROL_PLANE: ""},
    )


def _write_spec(sets: OmniResourceAdapter, id: str, spec: dict[str, str]) -> None:
    try:
        update(sets, id, lambda existing: replace(existing, spec={**existing.spec, "bootstrap_spec": spec}))
    except omni_errors.InvalidArgument as error:
        raise Problem(409, "conflict", error.detail, hint=_HINT, grpc_code="INVALID_ARGUMENT") from error


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
        made = cluster_operation("cluster-bootstrap", id, state, progress, error, details)
        return replace(made, started=cluster.created, stages=stages_in_order(steps, state))

    if details["bootstrapped"]:
        return operation("succeeded", "etcd was started.")
    if cluster.tearing_down:
        return operation("failed", error=BEING_REMOVED)
    return operation("running", "Waiting for a control plane machine to connect." if has_set else EMPTY)


def _bootstraps(omni: OmniClient) -> Iterator[Operation]:
    """Return the bootstraps under way; a cluster without a control plane has none, it waits for its user."""
    for cluster in active_clusters(omni):
        operation = _bootstrap(omni, cluster)
        if operation.state != "succeeded" and has_control_plane(omni, cluster.id):
            yield operation


BOOTSTRAP = Action(
    "bootstrap",
    role=Role.OPERATOR,
    summary="Start etcd from a backup, or show the state of the bootstrap",
    body=ClusterBootstrapActionSchema,
    example={"backup": {"snapshot": "FFFFFFFF94FB6C65.snapshot"}},
    operation=OperationKind(
        "cluster-bootstrap", read_bootstrap, "Whether a cluster's etcd has been started", under_way=_bootstraps
    ),
    description="Omni starts etcd by itself. With `backup`, the control plane's machine set is made to start from it,"
    " which Omni allows only while that set does not exist yet. Without it, nothing changes.",
    run=bootstrap,
)
