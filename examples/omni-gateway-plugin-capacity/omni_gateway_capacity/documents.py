"""The document: `GET /api/v1/capacity`."""

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import OmniClient, ResourceAdapter, Role
from omni_gateway.sdk.actions import ComputedDocument
from omni_gateway.sdk.adapters import resources_of
from omni_gateway.sdk.omni import types

from omni_gateway_capacity.schemas import CapacityCountsSchema


def count(omni: OmniClient, type: str) -> int:
    """Count the objects of a type; a document's and a task's reads come from the worker's cache where they may."""
    return len(resources_of(omni.resources.list(type)))


def counts(adapter: ResourceAdapter, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Count what Omni has. A document writes nothing."""
    return {
        "clusters": count(adapter.omni, types.CLUSTERS),
        "machines": count(adapter.omni, types.MACHINE_STATUSES),
        "wanted": adapter.settings.machines,
    }


COUNTS = ComputedDocument(
    "",
    on_collection=True,
    role=Role.READER,
    summary="Count what Omni has",
    description="The numbers of clusters and of machines, and of machines that there should be.",
    answers=CapacityCountsSchema,
    run=counts,
)
