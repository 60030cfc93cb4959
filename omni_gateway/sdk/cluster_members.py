"""Which clusters machines are in."""

from __future__ import annotations

from collections.abc import Sequence

from omni_gateway.omni import OmniClient, types
from omni_gateway.sdk.parsing import resources_of
from omni_gateway.sdk.reading import find

#: From so many machines on, one list is asked for instead of each.
LIST_FROM = 4


def clusters_of_machines(omni: OmniClient, ids: Sequence[str]) -> list[str | None]:
    """Return the cluster of each machine; None for one that is in none, or not there."""
    if len(ids) >= LIST_FROM:
        known = {status.id: status for status in resources_of(omni.resources.list(types.MACHINE_STATUSES))}
        found = [known.get(id) for id in ids]
    else:
        found = [find(omni, types.MACHINE_STATUSES, id) for id in ids]
    return [str(status.spec["cluster"]) if status and status.spec.get("cluster") else None for status in found]
