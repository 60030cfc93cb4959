"""The action destroy: the same as DELETE, but always answered with an operation; and that operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import OmniClient, Operation, Resource, Role, SpecSchema
from omni_gateway.sdk.actions import Action, DryRunResult, removal_of, stages_in_order
from omni_gateway.sdk.adapters import find, object_url
from omni_gateway.sdk.clusters import cluster_lock, member_waits
from omni_gateway.sdk.omni import label_names, types
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.disconnected_machines import ABOUT_FORCE, DISCONNECTED
from resources.cluster.operation import cluster_operation
from resources.cluster.schemas.status import ClusterDestroyStatusSchema

_destroy_schema = ClusterDestroyStatusSchema()


class ClusterDestroyActionSchema(SpecSchema):
    """Options of a cluster's removal."""

    body_optional = True

    force = fields.String(validate=validate.OneOf([DISCONNECTED]), metadata={"description": ABOUT_FORCE})


def _destruction(omni: OmniClient, cluster: Resource) -> Operation:
    """Return the operation of a cluster's removal, with the machines that it waits for."""
    id = cluster.id
    status = find(omni, types.CLUSTER_DESTROY_STATUSES, id)
    waiting = member_waits.leaving_members(omni, label_names.LABEL_CLUSTER, id)
    held = f"Omni's controllers still hold it: {', '.join(sorted(cluster.finalizers)) or 'none of them'}."
    progress = member_waits.with_unreachable((status.spec.get("phase") if status else "") or held, waiting)
    details = {"finalizers": list(cluster.finalizers)} | (_destroy_schema.render_spec(status.spec) if status else {})
    force = f"DELETE {object_url('clusters', id)}?force=disconnected"
    # Of a locked cluster an import is given up: its machines stay as they are.
    left = "machines released" if cluster_lock.is_locked(cluster) else "machines wiped"
    steps = [(left, not waiting), ("released by Omni's controllers", False), ("removed", False)]
    return replace(
        cluster_operation("cluster-destroy", id, "running", progress, details=details),
        # Omni writes this status when the teardown begins; the Cluster itself is written again and again after that.
        started=status.created if status else None,
        stages=stages_in_order(steps, "running"),
        waiting_for=waiting,
        hint=member_waits.hint_for_unreachable(waiting, force),
    )


REMOVAL = removal_of(types.CLUSTERS, "cluster", "clusters", _destruction)


def destroy(adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Operation | DryRunResult:
    """Tear a cluster down, unless it is being removed already; 409 if it is locked."""
    cluster = adapter.get(id)
    if dry_run:
        adapter.check_delete_with(cluster, body)
        return DryRunResult(cluster, None, also_deleted=adapter.also_deleted(cluster, body))
    if not cluster.tearing_down or body.get("force"):
        adapter.delete_with(cluster, body)
    return REMOVAL.read(adapter.omni, id)


DESTROY = Action(
    "destroy",
    role=Role.OPERATOR,
    summary="Remove the cluster and everything in it; the same as DELETE",
    description="Always with an operation. Its machines are reset, lose their data and become free; a locked cluster is"
    " refused (409).",
    body=ClusterDestroyActionSchema,
    example={"force": "disconnected"},
    operation=REMOVAL,
    run=destroy,
)
