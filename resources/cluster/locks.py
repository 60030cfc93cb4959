"""Locking a cluster against changes; in Omni that is an annotation, and its presence is what counts.

A locked cluster takes no change but the unlocking itself. Omni refuses with InvalidArgument, which would read as if the
request were wrong; the request is fine and the cluster's state is not, so callers get 409 and are told what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import Problem, Resource, ResourceAdapter, WouldDo, change
from resources.cluster.names import ANNOTATION_IMPORTING, ANNOTATION_LOCKED

ABOUT = (
    "A locked cluster, its machine sets and its machines take no change and cannot be removed (409); configuration"
    " patches still can. Answers the cluster; a cluster that is (un)locked already stays as it is."
)


def is_locked(cluster: Resource) -> bool:
    """Whether the cluster carries the lock."""
    return ANNOTATION_LOCKED in cluster.annotations


def takes_no_change(cluster: Resource) -> bool:
    """Whether the lock holds changes off; an import in progress makes its own through it."""
    return is_locked(cluster) and ANNOTATION_IMPORTING not in cluster.annotations


def refuse_locked(existing: Resource, wanted: Resource) -> None:
    """Raise 409 for a change to a cluster that is locked before and after it."""
    if takes_no_change(existing) and is_locked(wanted):
        raise locked_problem(existing.id)


def locked_problem(cluster: str, reason: str = "") -> Problem:
    """Return the 409 that says how to go on; ``reason`` is Omni's own text."""
    detail = f"Cluster {cluster!r} is locked." + (f" Omni says: {reason}" if reason else "")
    return Problem(409, "conflict", detail, hint=f"POST /api/v1/clusters/{cluster}/actions/unlock first.")


def lock(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource | WouldDo:
    """Lock a cluster; answers it. One that is locked stays as it is."""

    def by(existing: Resource) -> Resource:
        if is_locked(existing):
            return existing
        return replace(existing, annotations={**existing.annotations, ANNOTATION_LOCKED: ""})

    return change(adapter, id, by, dry_run=dry_run)


def unlock(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Resource | WouldDo:
    """Unlock a cluster, and end an import that holds it; answers it. One that is not locked stays as it is."""

    def by(existing: Resource) -> Resource:
        kept = {
            key: value
            for key, value in existing.annotations.items()
            if key not in (ANNOTATION_LOCKED, ANNOTATION_IMPORTING)
        }
        return existing if kept == existing.annotations else replace(existing, annotations=kept)

    return change(adapter, id, by, dry_run=dry_run)
