"""Configuration patches in Omni."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from omni_gateway.sdk import ListQuery, OmniResourceAdapter, Resource
from omni_gateway.sdk.clusters import relations
from omni_gateway.sdk.omni import label_names, types
from resources.configpatch import targets
from resources.configpatch.validation import check_changed_data

#: Omni's compressed form of the same text; it takes precedence over ``data`` if both are set.
_COMPRESSED = "compressed_data"
_HINT = "Create a patch of your own for the same machines; one with a greater id applies after this one."


class ConfigPatchAdapter(OmniResourceAdapter):
    """Patches, always in plain text: Omni decompresses on a read, and a write omits the compressed form."""

    cacheable_response = True

    def __init__(self) -> None:
        super().__init__(types.CONFIG_PATCHES, hint=_HINT)

    def followed_machine(self, resource: Resource) -> str | None:
        """Return the machine of a patch without a cluster label: the patch follows it into any cluster."""
        cluster = resource.labels.get(label_names.LABEL_CLUSTER)
        return None if cluster else resource.labels.get(label_names.LABEL_MACHINE) or None

    def selectors(self, query: ListQuery) -> Sequence[str]:
        """Return the label queries: two for a machine, since either of two labels can name it."""
        return targets.selectors(query)

    def check(self, resource: Resource, existing: Resource | None, extras: Mapping[str, Any]) -> None:
        """Check labels and text, the text by a call to Omni so that a dry run is exact; raises 422."""
        relations.complete_patch(self.omni, resource, existing)
        targets.check_labels(self.omni, resource, existing)
        check_changed_data(self.omni, resource, existing)

    def replace(self, resource: Resource) -> None:
        """Write the patch in plain text."""
        super().replace(plain(resource))


def plain(patch: Resource) -> Resource:
    """Return the patch without the compressed form."""
    return replace(patch, spec={key: value for key, value in patch.spec.items() if key != _COMPRESSED})
