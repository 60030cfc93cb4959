"""The action: `POST /api/v1/capacity/actions/check`."""

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import ResourceAdapter, Role
from omni_gateway.sdk.actions import Action
from omni_gateway.sdk.omni import types

from omni_gateway_capacity.documents import count
from omni_gateway_capacity.schemas import CapacityCheckResultSchema, CapacityCheckSchema


def check(adapter: ResourceAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Say whether there are enough machines. It changes nothing, so a dry run is the same as the real one."""
    machines = count(adapter.omni, types.MACHINE_STATUSES)
    return {"enough": machines >= body["machines"], "machines": machines}


CHECK = Action(
    "check",
    on_collection=True,
    role=Role.OPERATOR,
    summary="Check that there are enough machines",
    description="Answers whether so many machines have joined; it changes nothing.",
    body=CapacityCheckSchema,
    example={"machines": 3},
    answers=CapacityCheckResultSchema,
    run=check,
)
