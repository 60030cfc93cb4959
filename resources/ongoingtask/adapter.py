"""Ongoing tasks of Omni, with a filter by their object."""

from __future__ import annotations

from dataclasses import replace

from omni_gateway.sdk import OmniResourceAdapter, Resource
from omni_gateway.sdk.adapters import member_filter
from omni_gateway.sdk.omni import types
from resources.ongoingtask.schemas import TASK_TYPES

#: Not a label filter: Omni sets no label on tasks.
RESOURCE = member_filter("resource", "Only tasks about the object of this id", member="resource_id")


class OngoingTaskAdapter(OmniResourceAdapter):
    """Tasks, with the name of their kind."""

    def __init__(self) -> None:
        super().__init__(types.ONGOING_TASKS, sortable=("title", "resource_id"))

    def shown(self, resource: Resource) -> Resource:
        """Add ``task_type``, the name of the member that is set."""
        kind = next((name for name in TASK_TYPES if name in resource.spec), "")
        return replace(resource, spec={**resource.spec, "task_type": kind})

    def named_cluster(self, resource: Resource) -> str | None:
        """Return the cluster that the task is about."""
        return resource.spec.get("resource_id") or None

    def followed_machine(self, resource: Resource) -> str | None:
        """Return the machine that the task is about, of an upgrade of one."""
        return resource.spec.get("resource_id", "") if "machine_upgrade" in resource.spec else None
