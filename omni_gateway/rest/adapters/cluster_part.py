"""Objects that belong to a cluster by their label, and that the cluster's lock holds changes off."""

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
    """Serve the parts of clusters: machine sets, machine set nodes."""

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Raise 422 for a new part of a cluster that is not there, 409 for one of a cluster that is locked."""
        cluster = (existing or resource).labels.get(LABEL_CLUSTER, "")
        if existing is None:
            self._check_cluster(cluster)
        cluster_lock.refuse_locked(self.omni, cluster)

    def check_delete(self, resource: Resource) -> None:
        """Raise 409 when the cluster is locked."""
        cluster_lock.refuse_locked(self.omni, resource.labels.get(LABEL_CLUSTER, ""))

    def delete(self, resource: Resource) -> None:
        """Tear the part down; 409 when the cluster is locked, which Omni would tell less clearly."""
        self.check_delete(resource)
        super().delete(resource)

    def _check_cluster(self, cluster: str) -> None:
        refusals = FieldErrors()
        if not cluster:
            refusals.add(f"labels.{LABEL_CLUSTER}", "Names the cluster; it must be there.")
        elif find(self.omni, types.CLUSTERS, cluster) is None:
            refusals.add(f"labels.{LABEL_CLUSTER}", f"There is no cluster {cluster!r}.")
        refusals.raise_if_any()
