"""Extensions configurations in Omni."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import OmniResourceAdapter, Problem, Resource
from omni_gateway.sdk.adapters import find
from omni_gateway.sdk.clusters import relations
from omni_gateway.sdk.omni import label_names, types


class ExtensionsConfigurationAdapter(OmniResourceAdapter):
    """Extensions configurations; the cluster label is completed from the machine set or machine."""

    def __init__(self) -> None:
        super().__init__(types.EXTENSIONS_CONFIGURATIONS)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Complete the cluster label; raise 422 without a cluster, or if set or machine belong to another."""
        relations.complete_cluster(self.omni, resource, existing)
        cluster = resource.labels.get(label_names.LABEL_CLUSTER, "")
        before = existing.labels.get(label_names.LABEL_CLUSTER) if existing else None
        if cluster != before and find(self.omni, types.CLUSTERS, cluster) is None:
            errors = {f"labels.{label_names.LABEL_CLUSTER}": [f"There is no cluster {cluster!r}."]}
            raise Problem(422, "validation", errors=errors)
