"""Configuration patches in Omni."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import (
    ListQuery,
    OmniResourceAdapter,
    Resource,
    clusters_of_machines,
    label_names,
    relations,
    types,
)
from resources.configpatch import targets
from resources.configpatch.validation import check_changed_data

#: Omni's compressed form of the same text; it wins over ``data`` when both are there.
_COMPRESSED = "compressed_data"
_HINT = "Make a patch of your own for the same machines; one with a greater id applies after this one."


class ConfigPatchAdapter(OmniResourceAdapter):
    """Patches, always in plain text: Omni reads the compressed form for us, and a write leaves it out."""

    def __init__(self) -> None:
        super().__init__(types.CONFIG_PATCHES, hint=_HINT)

    def clusters_of(self, resources: Sequence[Resource]) -> Sequence[str | None]:
        """Return the cluster that each patch is labelled with, or else the one of its ``machine``, which it follows."""
        labelled = [super(ConfigPatchAdapter, self).cluster_of(resource) for resource in resources]
        followed = [
            resource.labels[label_names.LABEL_MACHINE]
            for resource, cluster in zip(resources, labelled, strict=True)
            if not cluster and resource.labels.get(label_names.LABEL_MACHINE)
        ]
        found = dict(zip(followed, clusters_of_machines(self.omni, followed), strict=True)) if followed else {}
        return [
            cluster or found.get(resource.labels.get(label_names.LABEL_MACHINE, ""))
            for resource, cluster in zip(resources, labelled, strict=True)
        ]

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the cluster of one patch."""
        return self.clusters_of([resource])[0]

    def selectors(self, query: ListQuery) -> Sequence[str]:
        """Return the label queries; the two labels that can name a machine make two of them."""
        return targets.selectors(query)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Ask Omni about the text and look at the labels, so that a dry run tells the truth; raises 422."""
        relations.complete_patch(self.omni, resource, existing)
        targets.check_labels(self.omni, resource, existing)
        check_changed_data(self.omni, resource, existing)

    def replace(self, resource: Resource) -> None:
        """Write the patch in plain text."""
        super().replace(plain(resource))


def plain(patch: Resource) -> Resource:
    """Return the patch without the compressed form that it may have been read with."""
    return replace(patch, spec={key: value for key, value in patch.spec.items() if key != _COMPRESSED})
