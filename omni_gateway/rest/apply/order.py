"""The order in which objects are written, and the dependencies between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.model import label_names
from omni_gateway.omni import types
from omni_gateway.rest.apply.documents import Document

#: A cluster's parts are written after it, in this order; all other types (machine classes …) before it.
_RANKS: Mapping[str, int] = {
    type: rank
    for rank, type in enumerate(
        (
            types.CLUSTERS,
            types.EXTENSIONS_CONFIGURATIONS,
            types.CONFIG_PATCHES,
            types.MACHINE_INSTALL_DISK_CONFIGS,
            types.KUBERNETES_MANIFEST_GROUPS,
            types.KUBERNETES_HEALTH_CHECKS,
            types.MACHINE_SETS,
            types.MACHINE_SET_NODES,
            types.KERNEL_ARGS,
        ),
        start=1,
    )
}


def rank(type: str) -> int:
    """Return the rank of a type; objects are written in ascending order of rank."""
    return _RANKS.get(type, 0)


def needs(document: Document) -> set[tuple[str, str]]:
    """Return the objects (type, id) that a document's object belongs to or names."""
    wanted = document.wanted
    found: set[tuple[str, str]] = set()
    if wanted.type == types.IMPORTED_CLUSTER_SECRETS:  # written before their cluster, so they must not wait for it
        return found
    if cluster := wanted.labels.get(label_names.LABEL_CLUSTER):
        found.add((str(types.CLUSTERS), cluster))
    if machine_set := wanted.labels.get(label_names.LABEL_MACHINE_SET):
        found.add((str(types.MACHINE_SETS), machine_set))
    if machine_class := _machine_class(wanted.spec):
        found.add((str(types.MACHINE_CLASSES), machine_class))
    return found - {document.key}


def _machine_class(spec: Mapping[str, Any]) -> str:
    """Return the machine class of a machine set, by its present or its older member; empty if it has none."""
    allocation = spec.get("machine_allocation") or spec.get("machine_class")
    return str(allocation.get("name") or "") if isinstance(allocation, Mapping) else ""
