"""Config patches in Omni."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import ListQuery, OmniResourceAdapter, Problem, Resource, omni_errors
from resources.configpatch.labels import CLUSTER, CLUSTER_MACHINE, MACHINE, SYSTEM_PATCH
from resources.configpatch.validating import validate_data

CLUSTERS = "Clusters.omni.sidero.dev"


class ConfigPatchAdapter(OmniResourceAdapter):
    """ConfigPatches, with the checks that Omni leaves out and a filter by machine under either of its labels."""

    def __init__(self) -> None:
        super().__init__("ConfigPatches.omni.sidero.dev")

    def selectors(self, query: ListQuery) -> Sequence[str]:
        """Ask for a machine under both labels: entries of Omni's selectors are alternatives."""
        machine = query.filters.get("machine")
        common = super().selectors(query)
        if machine is None:
            return common
        return [",".join([*common, f"{label} = {machine}"]) for label in (CLUSTER_MACHINE, MACHINE)]

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Refuse what Omni would refuse of the data, and labels that Omni would take and never act on."""
        if existing is None or existing.spec.get("data") != resource.spec.get("data"):
            validate_data(self.omni, resource.spec["data"])
        self._check_labels(resource, existing)

    def _check_labels(self, resource: Resource, existing: Resource | None) -> None:
        before = existing.labels if existing else {}
        if SYSTEM_PATCH in resource.labels and SYSTEM_PATCH not in before:
            text = "This label is for patches that Omni's controllers make."
            raise Problem(422, "validation", errors={f"labels.{SYSTEM_PATCH}": [text]})
        cluster = resource.labels.get(CLUSTER)
        if cluster and cluster != before.get(CLUSTER):
            self._check_cluster(cluster)

    def _check_cluster(self, cluster: str) -> None:
        try:
            self.omni.resources.get(CLUSTERS, cluster)
        except omni_errors.NotFound:
            text = f"There is no cluster {cluster!r}, and Omni would keep the patch without using it."
            raise Problem(422, "validation", errors={f"labels.{CLUSTER}": [text]}) from None

    def create(self, resource: Resource, extras: Mapping[str, Any]) -> None:
        """Write the data as plain text; Omni's compressed form needs a private dictionary."""
        super().create(_plain(resource), extras)

    def replace(self, resource: Resource) -> None:
        """Write the data as plain text over whatever form was there."""
        super().replace(_plain(resource))


def _plain(resource: Resource) -> Resource:
    """Leave the compressed form out: where both are given, Omni takes that one."""
    return replace(resource, spec={key: value for key, value in resource.spec.items() if key != "compressed_data"})
