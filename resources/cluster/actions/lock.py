"""The actions lock and unlock. In Omni the lock of a cluster is an annotation, with any value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import Resource, ResourceAdapter, Role
from omni_gateway.sdk.actions import Action, DryRunResult
from omni_gateway.sdk.adapters import update
from omni_gateway.sdk.clusters import cluster_lock
from omni_gateway.sdk.omni import label_names

ABOUT = (
    "A locked cluster, its machine sets and its machines take no change and cannot be removed (409); configuration"
    " patches still can. Returns the cluster; a cluster that is (un)locked already is not changed."
)


def lock(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource | DryRunResult:
    """Lock a cluster and return it; a locked one is not changed."""

    def mutate(existing: Resource) -> Resource:
        if cluster_lock.is_locked(existing):
            return existing
        return replace(existing, annotations={**existing.annotations, label_names.ANNOTATION_CLUSTER_LOCKED: ""})

    return update(adapter, id, mutate, dry_run=dry_run)


def unlock(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource | DryRunResult:
    """Unlock a cluster, end an import that locks it, and return it; one that is not locked is not changed."""

    def mutate(existing: Resource) -> Resource:
        annotations = {
            key: value
            for key, value in existing.annotations.items()
            if key not in (label_names.ANNOTATION_CLUSTER_LOCKED, label_names.ANNOTATION_IMPORTING)
        }
        return existing if annotations == existing.annotations else replace(existing, annotations=annotations)

    return update(adapter, id, mutate, dry_run=dry_run)


LOCK = Action(
    "lock",
    role=Role.OPERATOR,
    summary="Lock the cluster against changes until it is unlocked",
    description=ABOUT,
    run=lock,
)
UNLOCK = Action(
    "unlock",
    role=Role.OPERATOR,
    summary="Remove the lock, and end an import that locks the cluster",
    description=ABOUT,
    run=unlock,
)
