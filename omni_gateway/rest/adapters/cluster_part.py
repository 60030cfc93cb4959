"""The adapter of objects that belong to a cluster by their label and cannot be changed while the cluster is locked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.model.label_names import LABEL_CLUSTER
from omni_gateway.model.lookup import find
from omni_gateway.model.resource import Resource
from omni_gateway.omni import types
from omni_gateway.rest import cluster_lock
from omni_gateway.rest.adapters.omni import OmniResourceAdapter
from omni_gateway.rest.field_errors import FieldErrors


class ClusterPartAdapter(OmniResourceAdapter):
    """Adapter for the parts of clusters: machine sets, machine set nodes."""

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for a new part of a missing cluster, 409 for any part of a locked one."""
        cluster = (existing or resource).labels.get(LABEL_CLUSTER, "")
        if existing is None:
            self._check_cluster(cluster)
        cluster_lock.refuse_locked(self.omni, cluster)

    def check_delete(self, resource: Resource) -> None:
        """Raise 409 if the cluster is locked."""
        cluster_lock.refuse_locked(self.omni, resource.labels.get(LABEL_CLUSTER, ""))

    def delete(self, resource: Resource) -> None:
        """Tear the part down. Raises 409 if the cluster is locked, where Omni would return an invalid argument."""
        self.check_delete(resource)
        super().delete(resource)

    def _check_cluster(self, cluster: str) -> None:
        field_errors = FieldErrors()
        if not cluster:
            field_errors.add(f"labels.{LABEL_CLUSTER}", "Required: the id of the cluster.")
        elif find(self.omni, types.CLUSTERS, cluster) is None:
            field_errors.add(f"labels.{LABEL_CLUSTER}", f"There is no cluster {cluster!r}.")
        field_errors.raise_if_any()
