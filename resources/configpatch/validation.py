"""Validation of a patch by Omni, without creating it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from omni_gateway.sdk import (
    OmniClient,
    Problem,
    Resource,
    ResourceAdapter,
    Role,
)
from omni_gateway.sdk.actions import Action, DryRunResult
from omni_gateway.sdk.omni import omni_errors
from resources.configpatch.schemas import EXAMPLE, ConfigPatchValidateActionSchema, ConfigPatchValiditySchema


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
            hint="A patch is a part of a Talos machine configuration; a JSON Patch (a list) is not accepted.",
            grpc_code=error.code.name,
        ) from error


def check_changed_data(omni: OmniClient, patch: Resource, existing: Resource | None) -> None:
    """Check a new or changed ``data``; an unchanged one may stay, even if Omni would refuse it today."""
    data = patch.spec.get("data", "")
    if existing is None or data != existing.spec.get("data"):
        check_data(omni, data)


def validate(
    adapter: ResourceAdapter, body: Mapping[str, Any], *, dry_run: bool
) -> Mapping[str, Any] | Resource | DryRunResult:
    """Return that Omni would accept a patch, else raise 422; nothing is created, so a dry run is the same."""
    check_data(adapter.omni, body["data"])
    return {"valid": True}


VALIDATE = Action(
    "validate",
    role=Role.READER,
    summary="Check whether Omni would accept a patch",
    body=ConfigPatchValidateActionSchema,
    example={"data": EXAMPLE["data"]},
    answers=ConfigPatchValiditySchema,
    on_collection=True,
    cluster_independent=True,
    description="Nothing is created. A patch that Omni would refuse is a 422 with Omni's reason.",
    run=validate,
)
