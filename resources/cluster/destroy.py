"""The action destroy: the same as DELETE, but always answered with an operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import Operation, Role, SpecSchema
from omni_gateway.sdk.actions import Action, DryRunResult
from resources.cluster import operations
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.disconnected_machines import ABOUT_FORCE, DISCONNECTED


class ClusterDestroyActionSchema(SpecSchema):
    """Options of a cluster's removal."""

    body_optional = True

    force = fields.String(validate=validate.OneOf([DISCONNECTED]), metadata={"description": ABOUT_FORCE})


def destroy(adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Operation | DryRunResult:
    """Tear a cluster down, unless it is being removed already; 409 if it is locked."""
    cluster = adapter.get(id)
    if dry_run:
        adapter.check_delete_with(cluster, body)
        return DryRunResult(cluster, None, also_deleted=adapter.also_deleted(cluster, body))
    if not cluster.tearing_down or body.get("force"):
        adapter.delete_with(cluster, body)
    return operations.DESTROY.read(adapter.omni, id)


DESTROY = Action(
    "destroy",
    role=Role.OPERATOR,
    summary="Remove the cluster and everything in it; the same as DELETE",
    body=ClusterDestroyActionSchema,
    example={"force": "disconnected"},
    operation=operations.DESTROY,
    run=destroy,
)
