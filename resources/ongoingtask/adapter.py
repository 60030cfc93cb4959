"""Ongoing tasks of Omni, with a filter by their object."""

from __future__ import annotations

from dataclasses import replace

from omni_gateway.sdk import (
    Filter,
    Listing,
    ListQuery,
    OmniResourceAdapter,
    Resource,
)
from omni_gateway.sdk.adapters import OmniSource, select
from omni_gateway.sdk.omni import types
from resources.ongoingtask.schemas import TASK_TYPES

RESOURCE = Filter("resource", "Only tasks about the object of this id")


class OngoingTaskSource(OmniSource):
    """The watch of tasks, those about one object where the filter names it."""

    def matches(self, resource: Resource) -> bool:
        """Return whether a task is about the object that the filter names."""
        wanted = self.query.filters.get("resource")
        return super().matches(resource) and wanted in (None, resource.spec.get("resource_id"))


class OngoingTaskAdapter(OmniResourceAdapter):
    """Tasks; Omni has no label for their objects, so the gateway filters them."""

    cacheable_response = True
    watch_source_class = OngoingTaskSource

    def __init__(self) -> None:
        super().__init__(types.ONGOING_TASKS, sortable=("title", "resource_id"))

    def shown(self, resource: Resource) -> Resource:
        """Add ``task_type``, the name of the member that is set."""
        kind = next((name for name in TASK_TYPES if name in resource.spec), "")
        return replace(resource, spec={**resource.spec, "task_type": kind})

    def named_cluster(self, resource: Resource) -> str | None:
        """Return the cluster that the task is about."""
        return _about(resource) or None

    def followed_machine(self, resource: Resource) -> str | None:
        """Return the machine that the task is about, of an upgrade of one."""
        return _about(resource) if "machine_upgrade" in resource.spec else None

    def list(self, query: ListQuery) -> Listing:
        """Return the tasks, those about one object where the filter names it."""
        wanted = query.filters.get("resource")
        if wanted is None:
            return super().list(query)
        whole = super().list(replace(query, offset=0, limit=0, filters={}))
        about = (item for item in whole.items if item.spec.get("resource_id") == wanted)
        return select(about, replace(query, selector=None, search=""), self.sortable)


def _about(task: Resource) -> str:
    """Return the id of the object that a task is about."""
    return str(task.spec.get("resource_id", ""))
