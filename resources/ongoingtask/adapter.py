"""Ongoing tasks of Omni, with a filter by their object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from omni_gateway.sdk import (
    Filter,
    Listing,
    ListQuery,
    OmniResourceAdapter,
    Resource,
)
from omni_gateway.sdk.adapters import Change, clusters_of_machines, select
from omni_gateway.sdk.omni import types

#: Members of the spec; each task has exactly one.
TASK_TYPES = ("talos_upgrade", "kubernetes_upgrade", "destroy", "machine_upgrade", "secrets_rotation")
RESOURCE = Filter("resource", "Only tasks about the object of this id")


class OngoingTaskAdapter(OmniResourceAdapter):
    """Tasks; Omni has no label for their objects, so the gateway filters them."""

    cacheable_response = True

    def __init__(self) -> None:
        super().__init__(types.ONGOING_TASKS, sortable=("title", "resource_id"))

    def shown(self, resource: Resource) -> Resource:
        """Add ``task_type``, the name of the member that is set."""
        kind = next((name for name in TASK_TYPES if name in resource.spec), "")
        return replace(resource, spec={**resource.spec, "task_type": kind})

    def cluster_of(self, resource: Resource) -> str | None:
        """Return the task's cluster, or its machine's; None for a free machine."""
        about = str(resource.spec.get("resource_id", ""))
        return (clusters_of_machines(self.omni, [about])[0] if "machine_upgrade" in resource.spec else about) or None

    def list(self, query: ListQuery) -> Listing:
        """Return the tasks, those about one object where the filter names it."""
        wanted = query.filters.get("resource")
        if wanted is None:
            return super().list(query)
        whole = super().list(replace(query, offset=0, limit=0, filters={}))
        about = (item for item in whole.items if item.spec.get("resource_id") == wanted)
        return select(about, replace(query, selector=None, search=""), self.sortable)

    @contextmanager
    def watch(self, query: ListQuery, id: str = "") -> Iterator[Iterator[Change]]:
        """Follow the tasks, those about one object where the filter names it."""
        wanted = query.filters.get("resource")
        with super().watch(query, id) as changes:
            yield (
                change
                for change in changes
                if wanted is None or change.resource is None or change.resource.spec.get("resource_id") == wanted
            )
