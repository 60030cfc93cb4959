"""The creation of a cluster's parts, one after the other, and its undoing if one cannot be written.

Omni has no transactions. But tearing the Cluster down removes every object with its label (machine sets, their nodes,
patches). What belongs to a machine (kernel arguments, install disk) has no such label, and may be there already: it is
written over, and put back after the cluster.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import OmniClient, OmniResourceAdapter, Problem, Resource
from omni_gateway.sdk.actions import problem_for
from omni_gateway.sdk.adapters import find, update
from omni_gateway.sdk.omni import (
    OmniError,
    omni_deadline,
    omni_errors,
    types,
)
from resources.cluster.create.record import OF_MACHINES

UNDO_SECONDS = 10.0
_POLL_SECONDS = 0.1


def build(omni: OmniClient, cluster: Resource, parts: Sequence[Resource]) -> None:
    """Create ``parts`` of an existing cluster; the problem names the part that failed and those that were undone."""
    made = [cluster]
    replaced: list[Resource] = []
    for part in parts:
        try:
            before = find(omni, part.type, part.id) if part.type in OF_MACHINES else None
            adapter = OmniResourceAdapter(part.type).bind(omni)
            if before is None:
                adapter.create(part, {})
            else:
                _write_spec(adapter, part.id, part.spec)
                replaced.append(before)
        except (OmniError, Problem) as error:
            raise _undone(omni, cluster, made, replaced, part, error) from error
        made.append(part)


def _write_spec(adapter: OmniResourceAdapter, id: str, spec: dict[str, Any]) -> None:
    update(adapter, id, lambda existing: replace(existing, spec=spec))


def _undone(
    omni: OmniClient,
    cluster: Resource,
    made: Sequence[Resource],
    replaced: Sequence[Resource],
    failed: Resource,
    cause: OmniError | Problem,
) -> Problem:
    """Remove the objects in ``made``, or put back what they replaced; return a problem with Omni's reason."""
    gone = _undo(omni, cluster.id) & _put_back(omni, [each for each in made if each.type in OF_MACHINES], replaced)
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


def _put_back(omni: OmniClient, made: Sequence[Resource], replaced: Sequence[Resource]) -> bool:
    """Remove objects of machines, or write what they were before; return whether all are as before."""
    before = {(each.type, each.id): each.spec for each in replaced}
    try:
        with omni_deadline.at_least(UNDO_SECONDS):
            for part in made:
                if (part.type, part.id) not in before:
                    with suppress(omni_errors.NotFound):
                        omni.resources.remove(part.type, part.id)
                    continue
                _write_spec(OmniResourceAdapter(part.type).bind(omni), part.id, before[part.type, part.id])
    except (OmniError, Problem):
        return False
    return True


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
