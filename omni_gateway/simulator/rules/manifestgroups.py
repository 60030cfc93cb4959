"""Rules of KubernetesManifestGroups."""

from __future__ import annotations

from collections.abc import Iterator

from .. import labels
from ..resource import Resource
from .base import RuleContext, Rules
from .documents import documents, keys

_SYSTEM_MANIFEST = labels.PREFIX + "system-manifest"


def create(_: RuleContext, new: Resource) -> Iterator[str]:
    """Check labels, mode, and that the data is manifests."""
    if not new.labels.get(labels.CLUSTER):
        yield f"the label {labels.CLUSTER} is missing"
    if _SYSTEM_MANIFEST in new.labels:
        yield f"the label {_SYSTEM_MANIFEST} is Omni's own"
    if not new.spec.get("mode"):
        yield "the mode is missing"
    for document in documents(new.spec.get("data") or ""):
        if isinstance(document, str):
            yield document
        elif not {"apiVersion", "kind"} <= keys(document):
            yield "every manifest is a mapping with apiVersion and kind"


def update(ctx: RuleContext, _: Resource, new: Resource) -> Iterator[str]:
    """Check as at the start."""
    yield from create(ctx, new)


RULES = Rules("KubernetesManifestGroups.omni.sidero.dev", create, update)
