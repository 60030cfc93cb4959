"""Requests for backups: Omni accepts one for a cluster that does not exist, without effect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from omni_gateway.sdk import OmniResourceAdapter, Problem, Resource
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.omni import types


class EtcdManualBackupAdapter(OmniResourceAdapter):
    """One request for each cluster, by the cluster's id."""

    def __init__(self) -> None:
        super().__init__(types.ETCD_MANUAL_BACKUPS, id_filter="cluster")

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for a cluster that does not exist; the time defaults to now."""
        if find(self.omni, types.CLUSTERS, resource.id) is None:
            raise Problem(422, "validation", errors={"id": [f"There is no cluster {resource.id!r}."]})
        if existing is None and not resource.spec.get("backup_at"):
            resource.spec["backup_at"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
