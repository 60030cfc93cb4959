"""The actions match: the machines that a class, or selectors, select now; several selectors are alternatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields, validate

from omni_gateway.sdk import Problem, ResourceAdapter, Role, SpecSchema
from omni_gateway.sdk.actions import Action
from omni_gateway.sdk.adapters import resources_of
from omni_gateway.sdk.omni import omni_errors, types


class MachineClassMatchSchema(SpecSchema):
    """Selectors to try."""

    match_labels = fields.List(
        fields.String(validate=validate.Length(min=1, max=1024)),
        required=True,
        validate=validate.Length(min=1, max=50),
        metadata={
            "description": "Label selectors of machines, as in a machine class; one that matches is enough",
            "example": ["omni.sidero.dev/platform = metal"],
        },
    )


class MachineClassMatchesSchema(SpecSchema):
    """The ids of the selected machines."""

    machines = fields.List(
        fields.String(),
        metadata={
            "description": "Ids of the machines that are selected now, those that are in use included",
            "example": ["2d1f4a52-8f7e-4a3c-9f0e-0d7b9f3f6a01"],
        },
    )
    total = fields.Integer(metadata={"description": "Number of the selected machines", "example": 1})


def match(adapter: ResourceAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Return the machines that the class selects; 409 for a class whose machines a provider creates."""
    selectors = adapter.get(id).spec.get("match_labels")
    if not selectors:
        raise Problem(409, "conflict", f"A provider creates the machines of {id!r}; it selects none by label.")
    return _selected(adapter, selectors)


def match_selectors(adapter: ResourceAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Return the machines that selectors select; 422 for an invalid selector."""
    return _selected(adapter, body["match_labels"])


def _selected(adapter: ResourceAdapter, selectors: Sequence[str]) -> Mapping[str, Any]:
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


MATCH = Action(
    "match",
    role=Role.READER,
    summary="List the machines that a class selects now",
    description="Members of clusters are selected too. 409 for a class whose machines an infrastructure provider"
    " creates.",
    answers=MachineClassMatchesSchema,
    run=match,
)
MATCH_SELECTORS = Action(
    "match",
    role=Role.READER,
    summary="List the machines that selectors would select now",
    description="To try the `match_labels` of a class before it is written; nothing is created.",
    body=MachineClassMatchSchema,
    example={"match_labels": ["omni.sidero.dev/platform = metal"]},
    answers=MachineClassMatchesSchema,
    on_collection=True,
    run=match_selectors,
)
