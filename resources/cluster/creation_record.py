"""What a POST of a cluster was asked to make, recorded in the Cluster until all of it is there.

Omni has no transactions, and an empty cluster is a good one: without a record nothing tells a cluster whose parts are
still being written, or whose parts were never written because the worker died, from one that was asked for empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from omni_gateway.sdk import OmniClient, Resource
from omni_gateway.sdk.actions import seconds_since
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.omni import label_names, types

#: On the Cluster from its creation until the last of its parts has been written.
ANNOTATION = "omni-gateway/creating"
#: What a record may name. Callers can write annotations: no record is a way to ask for other objects.
_TYPES = {str(type): type for type in (types.CONFIG_PATCHES, types.MACHINE_SETS, types.MACHINE_SET_NODES)}
#: Parts are written one after the other, each in far less time than this.
STALLED_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the parts of a cluster are written: ``missing`` holds (type, id)."""

    written: int
    missing: Sequence[tuple[str, str]]
    last_write: str | None

    @property
    def stalled(self) -> bool:
        """Whether no request writes the missing ones any more."""
        return bool(self.missing) and seconds_since(self.last_write) > STALLED_SECONDS


def recorded(cluster: Resource, parts: Sequence[Resource]) -> Resource:
    """Return a new cluster with the record of its parts."""
    record = {
        "asked": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "parts": [f"{part.type}/{part.id}" for part in parts],
    }
    return replace(cluster, annotations={**cluster.annotations, ANNOTATION: orjson.dumps(record).decode()})


def without_record(cluster: Resource) -> Resource:
    """Return a cluster without the record; the very same where it has none."""
    if ANNOTATION not in cluster.annotations:
        return cluster
    kept = {name: value for name, value in cluster.annotations.items() if name != ANNOTATION}
    return replace(cluster, annotations=kept)


def read_progress(omni: OmniClient, cluster: Resource) -> Progress | None:
    """Return how far the recorded parts are written; None for a cluster without a record."""
    record = _record(cluster)
    if record is None:
        return None
    missing, moments = [], [str(record.get("asked") or cluster.created or "")]
    written = 0
    for part in record["parts"]:
        type, _, id = str(part).partition("/")
        found = find(omni, _TYPES[type], id) if type in _TYPES else None
        if found is None or found.labels.get(label_names.LABEL_CLUSTER) != cluster.id:
            missing.append((type, id))
        else:
            written += 1
            moments.append(found.created or "")
    return Progress(written, missing, max(moments))


def _record(cluster: Resource) -> dict[str, Any] | None:
    """Return the record; None where there is none, or where a person has written something else there."""
    try:
        record = orjson.loads(cluster.annotations.get(ANNOTATION, "null"))
    except orjson.JSONDecodeError:
        return None
    if not isinstance(record, dict) or not isinstance(record.get("parts"), list):
        return None
    return record
