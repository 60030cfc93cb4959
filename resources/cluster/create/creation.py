"""The creation of a cluster's parts, one after the other, and its undoing if one cannot be written.

Omni has no transactions. But tearing the Cluster down removes every object with its label (machine sets, their nodes,
patches), so one call undoes all writes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from omni_gateway.sdk import OmniClient, OmniResourceAdapter, Problem, Resource
from omni_gateway.sdk.actions import problem_for
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.omni import (
    OmniError,
    omni_deadline,
    omni_errors,
    types,
)

UNDO_SECONDS = 10.0
_POLL_SECONDS = 0.1


def build(omni: OmniClient, cluster: Resource, parts: Sequence[Resource]) -> None:
    """Create ``parts`` of an existing cluster; the problem names the part that failed and those that were undone."""
    made = [cluster]
    for part in parts:
        try:
            OmniResourceAdapter(part.type).bind(omni).create(part, {})
        except (OmniError, Problem) as error:
            raise _undone(omni, cluster, made, part, error) from error
        made.append(part)


def _undone(
    omni: OmniClient, cluster: Resource, made: Sequence[Resource], failed: Resource, cause: OmniError | Problem
) -> Problem:
    """Remove the objects in ``made``; return a problem with Omni's reason and the list of undone objects."""
    gone = _undo(omni, cluster.id)
    reason = problem_for(cause) if isinstance(cause, OmniError) else cause
    undone = [{"type": item.type, "id": item.id} for item in reversed(made)]
    outcome = (
        "The objects created before it are removed again."
        if gone
        else "The objects created before it are not removed yet."
    )
    hint = "Fix the cause and send the request again."
    if not gone:
        hint = (
            f"Wait until GET /api/v1/clusters/{cluster.id} answers 404 (DELETE it if it does not), then send it again."
        )
    return Problem(
        reason.status,
        reason.code,
        f"{failed.type} {failed.id!r} could not be created: {cause.detail.rstrip('.')}. {outcome}",
        hint=hint,
        grpc_code=reason.grpc_code,
        extra={"failed": {"type": failed.type, "id": failed.id}, "undone": undone, "undone_completely": gone},
    )


def _undo(omni: OmniClient, cluster: str) -> bool:
    """Tear the cluster down and wait up to ``UNDO_SECONDS`` for its end; return whether it is removed."""
    with omni_deadline.at_least(UNDO_SECONDS):
        return _torn_down(omni, cluster, time.monotonic() + UNDO_SECONDS)


def _torn_down(omni: OmniClient, cluster: str, deadline: float) -> bool:
    try:
        omni.resources.remove(types.CLUSTERS, cluster)
        while find(omni, types.CLUSTERS, cluster) is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
    except omni_errors.NotFound:
        return True
    except OmniError:
        return False
    return True
