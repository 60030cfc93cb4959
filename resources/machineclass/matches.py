"""Which machines a class picks now (facts: machine-auth-detail 3.1): several selectors mean any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import Problem, ResourceAdapter, SpecSchema, omni_errors, resources_of, types


class MachineClassMatchSchema(SpecSchema):
    """Selectors to try."""

    match_labels = fields.List(
        fields.String(validate=validate.Length(min=1, max=1024)), required=True, validate=validate.Length(min=1, max=50)
    )


class MachineClassMatchesSchema(SpecSchema):
    """The machines that are picked, by id."""

    machines = fields.List(fields.String())
    total = fields.Integer()


def match(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Tell which machines the class picks; 409 for one whose machines a provider makes."""
    selectors = adapter.get(id).spec.get("match_labels")
    if not selectors:
        raise Problem(409, "conflict", f"A provider makes the machines of {id!r}; it picks none by their labels.")
    return _picked(adapter, selectors)


def match_selector(adapter: ResourceAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Tell which machines selectors pick."""
    return _picked(adapter, body["match_labels"])


def _picked(adapter: ResourceAdapter, selectors: Sequence[str]) -> Mapping[str, Any]:
    try:
        listed = adapter.omni.resources.list(types.MACHINE_STATUSES, selectors=selectors)
    except (omni_errors.InvalidArgument, omni_errors.Unknown) as error:
        raise Problem(422, "bad-selector", error.detail, errors={"match_labels": [error.detail]}) from error
    ids = sorted(
        item.id
        for item in resources_of(listed)
        if not (cluster := item.spec.get("cluster")) or adapter.scope.allows(cluster)
    )
    return {"machines": ids, "total": len(ids)}
