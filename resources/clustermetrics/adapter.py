"""The fleet's cluster metrics, merged from two objects of Omni's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import (
    Listing,
    ListQuery,
    OmniResourceAdapter,
    Resource,
)
from omni_gateway.sdk.adapters import Change, find
from omni_gateway.sdk.omni import enums, types

ID = "metrics"


class ClusterMetricsAdapter(OmniResourceAdapter):
    """ClusterStatusMetrics with the features that ClusterMetrics counts."""

    restricted_may_read = False
    cacheable_response = True

    def __init__(self) -> None:
        super().__init__(types.CLUSTER_STATUS_METRICS)

    def get(self, id: str) -> Resource:
        """Return the merged metrics, with phases by their names."""
        status = super().get(id)
        features = find(self.omni, types.CLUSTER_METRICS, id)
        phases: Mapping[str, Any] = status.spec.get("phases") or {}
        named = {_name(number): count for number, count in phases.items()}
        counted = features.spec.get("features") or {} if features else {}
        return replace(status, spec={**status.spec, "phases": named, "features": counted})

    def watch(self, query: ListQuery, id: str = "") -> AbstractContextManager[Iterator[Change]]:
        """Poll every second: the response is merged from two objects."""
        return self.polled(query, id)

    def list(self, query: ListQuery) -> Listing:
        """Return the only object; the watch polls this."""
        return Listing([self.get(ID)], 1)


def _name(number: str) -> str:
    try:
        return enums.ClusterPhase(int(number)).name
    except ValueError:
        return f"UNKNOWN_{number}"
