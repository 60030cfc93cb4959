"""The record of a POST's parts: an annotation of the Cluster until all of them are written.

Omni has no transactions, and an empty cluster is valid. Only the record distinguishes a cluster whose parts are still
being written, or were never written because the worker died, from one that was requested empty.
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
#: Types that a record may name: callers can write annotations, and must not read other objects through a record.
_TYPES = {
    str(type): type
    for type in (
        types.CONFIG_PATCHES,
        types.EXTENSIONS_CONFIGURATIONS,
        types.KERNEL_ARGS,
        types.KUBERNETES_HEALTH_CHECKS,
        types.KUBERNETES_MANIFEST_GROUPS,
        types.MACHINE_INSTALL_DISK_CONFIGS,
        types.MACHINE_SETS,
        types.MACHINE_SET_NODES,
    )
}
#: Types of a machine, which has them in a cluster and out of it: without the cluster's label.
OF_MACHINES = frozenset({str(types.KERNEL_ARGS), str(types.MACHINE_INSTALL_DISK_CONFIGS)})
#: Seconds without a write after which a creation counts as stalled; one part takes far less.
STALLED_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Progress:
    """The written and missing parts of a cluster; ``missing`` is a list of (type, id)."""

    written: int
    missing: Sequence[tuple[str, str]]
    last_write: str | None

    @property
    def stalled(self) -> bool:
        """Whether parts are missing and the request that should write them has ended."""
        return bool(self.missing) and seconds_since(self.last_write) > STALLED_SECONDS


def recorded(cluster: Resource, parts: Sequence[Resource]) -> Resource:
    """Return a new cluster with the record of its parts."""
    record = {
        "asked": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "parts": [f"{part.type}/{part.id}" for part in parts],
    }
    return replace(cluster, annotations={**cluster.annotations, ANNOTATION: orjson.dumps(record).decode()})


def without_record(cluster: Resource) -> Resource:
    """Return a cluster without the record; the same object if it has none."""
    if ANNOTATION not in cluster.annotations:
        return cluster
    annotations = {name: value for name, value in cluster.annotations.items() if name != ANNOTATION}
    return replace(cluster, annotations=annotations)


def read_progress(omni: OmniClient, cluster: Resource) -> Progress | None:
    """Return the progress of the recorded parts; None for a cluster without a record."""
    record = _record(cluster)
    if record is None:
        return None
    missing, moments = [], [str(record.get("asked") or cluster.created or "")]
    written = 0
    for part in record["parts"]:
        type, _, id = str(part).partition("/")
        found = find(omni, _TYPES[type], id) if type in _TYPES else None
        if found is None or (type not in OF_MACHINES and found.labels.get(label_names.LABEL_CLUSTER) != cluster.id):
            missing.append((type, id))
        else:
            written += 1
            moments.append(found.created or "")
    return Progress(written, missing, max(moments))


def _record(cluster: Resource) -> dict[str, Any] | None:
    """Return the record; None if there is none, or if a caller has overwritten the annotation with something else."""
    try:
        record = orjson.loads(cluster.annotations.get(ANNOTATION, "null"))
    except orjson.JSONDecodeError:
        return None
    if not isinstance(record, dict) or not isinstance(record.get("parts"), list):
        return None
    return record
