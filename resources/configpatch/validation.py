"""Asking Omni what it thinks of a patch, without making one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import (
    OmniClient,
    Problem,
    Resource,
    ResourceAdapter,
)
from omni_gateway.sdk.actions import DryRunResult
from omni_gateway.sdk.omni import omni_errors


def check_data(omni: OmniClient, data: str) -> None:
    """Raise 422 with Omni's reason, at the field ``data``, for a patch that it would refuse."""
    try:
        omni.management.validate_config(data)
    except omni_errors.InvalidArgument as error:
        raise Problem(
            422,
            "refused-by-omni",
            error.detail,
            errors={"data": [error.detail]},
            hint="A patch is a part of a Talos machine configuration; a JSON Patch (a list) is not taken.",
            grpc_code=error.code.name,
        ) from error


def check_changed_data(omni: OmniClient, patch: Resource, existing: Resource | None) -> None:
    """Check a new or changed ``data``; Omni lets an old one be that it would not take today."""
    data = patch.spec.get("data", "")
    if existing is None or data != existing.spec.get("data"):
        check_data(omni, data)


def validate(
    adapter: ResourceAdapter, body: Mapping[str, Any], *, dry_run: bool
) -> Mapping[str, Any] | Resource | DryRunResult:
    """Tell whether Omni would take a patch; nothing is made, so a dry run is no different."""
    check_data(adapter.omni, body["data"])
    return {"valid": True}
