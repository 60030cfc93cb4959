"""Removing a cluster as an action: what DELETE does, with an operation as its answer in every case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import DryRunResult, Operation, SpecSchema
from resources.cluster.adapter import ClusterAdapter
from resources.cluster.disconnected_machines import ABOUT_FORCE, DISCONNECTED
from resources.cluster.operations import DESTROY


class ClusterDestroyActionSchema(SpecSchema):
    """How to remove a cluster."""

    body_optional = True

    force = fields.String(validate=validate.OneOf([DISCONNECTED]), metadata={"description": ABOUT_FORCE})


def destroy(adapter: ClusterAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Operation | DryRunResult:
    """Tear a cluster down; one that is going already is left to go on. 409 when it is locked."""
    cluster = adapter.get(id)
    if dry_run:
        adapter.check_delete_with(cluster, body)
        return DryRunResult(cluster, None, also_deleted=adapter.also_deleted(cluster, body))
    if not cluster.tearing_down or body.get("force"):
        adapter.delete_with(cluster, body)
    return DESTROY.read(adapter.omni, id)
