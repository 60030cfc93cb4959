"""Ongoing tasks of Omni, with a filter by their object."""

from __future__ import annotations

from dataclasses import replace

from omni_gateway.sdk import Filter, OmniResourceAdapter, Resource
from omni_gateway.sdk.omni import types
from resources.ongoingtask.schemas import TASK_TYPES


def _about(task: Resource) -> str:
    """Return the id of the object that a task is about."""
    return str(task.spec.get("resource_id", ""))


#: Not a label filter: Omni sets no label on tasks.
RESOURCE = Filter("resource", "Only tasks about the object of this id", matches=lambda task, id: _about(task) == id)


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
        return _about(resource) or None

    def followed_machine(self, resource: Resource) -> str | None:
        """Return the machine that the task is about, of an upgrade of one."""
        return _about(resource) if "machine_upgrade" in resource.spec else None
