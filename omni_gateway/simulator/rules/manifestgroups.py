"""Rules of KubernetesManifestGroups."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from omni_gateway.simulator import labels
from omni_gateway.simulator.documents.strict_yaml import child, text_of
from omni_gateway.simulator.rules.base import RuleContext, Rules
from omni_gateway.simulator.rules.documents import NOTHING, documents
from omni_gateway.simulator.state.resource import Resource

_SYSTEM_MANIFEST = labels.PREFIX + "system-manifest"


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check labels, mode, and that the data is manifests."""
    if labels.CLUSTER not in new.labels:
        yield f"the label {labels.CLUSTER} is missing"
    if _SYSTEM_MANIFEST in new.labels:
        yield f"the label {_SYSTEM_MANIFEST} is Omni's own"
    if not new.spec.get("mode"):
        yield "the mode is missing"
    for document in documents(new.spec.get("data") or ""):
        if isinstance(document, str):
            yield from () if document is NOTHING else (document,)
        elif not (isinstance(document, yaml.MappingNode) and (not document.value or text_of(child(document, "kind")))):
            yield "every manifest is a mapping with a kind"


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules("KubernetesManifestGroups.omni.sidero.dev", create, update)
