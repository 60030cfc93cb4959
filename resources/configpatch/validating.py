"""Ask Omni whether it would take a patch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import OmniClient, Problem, ResourceAdapter, omni_errors


def validate(adapter: ResourceAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Answer that a patch is fine; it changes nothing, so a dry run is the same."""
    validate_data(adapter.omni, body["data"])
    return {"valid": True}


def validate_data(omni: OmniClient, data: str) -> None:
    """Raise a problem with Omni's reason when Omni would refuse the patch (facts: cluster-side 6)."""
    try:
        omni.management.validate_config(data)
    except omni_errors.InvalidArgument as error:
        raise Problem(
            422, "refused-by-omni", error.detail, errors={"data": [error.detail]}, grpc_code=error.code.name
        ) from error
