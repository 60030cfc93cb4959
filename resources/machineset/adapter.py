"""Machine sets in Omni."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from omni_gateway.sdk import Resource
from omni_gateway.sdk.adapters import API_PREFIX, ClusterPartAdapter, cluster_of_uuid
from omni_gateway.sdk.omni import types


class MachineSetAdapter(ClusterPartAdapter):
    """Machine sets; those of a locked cluster cannot be changed (409)."""

    def __init__(self) -> None:
        super().__init__(types.MACHINE_SETS, sortable=("update_strategy",))

    def other_clusters_affected(
        self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]
    ) -> Sequence[str | None]:
        """Return also the cluster whose backup is to be restored: the backup contains all of its secrets."""
        backup = resource.spec.get("bootstrap_spec") or {}
        known = (existing.spec.get("bootstrap_spec") or {}) if existing else {}
        source = cluster_of_uuid(self.omni, backup.get("cluster_uuid", "")) if backup != known else None
        return [*super().other_clusters_affected(resource, existing, extras), *([source] if source else [])]


def patches_link(machine_set: Resource) -> str:
    """Link to the configuration patches of a machine set."""
    return f"{API_PREFIX}/configpatches?machineset={quote(machine_set.id, safe='')}"
