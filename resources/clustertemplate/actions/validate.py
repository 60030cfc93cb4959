"""The action validate: everything that is wrong with a template, at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from omni_gateway.sdk import Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import Action
from omni_gateway.sdk.templates import TemplateFaults
from resources.clustertemplate.adapter import ClusterTemplateAdapter
from resources.clustertemplate.content import parsed
from resources.clustertemplate.schemas import EXAMPLE_DOCUMENTS, SentTemplateSchema


class TemplateFaultSchema(SpecSchema):
    """One thing that is wrong with a template."""

    document = wire.Integer(metadata={"description": "Place of the document in the template, from 0", "example": 1})
    line = wire.Integer(
        allow_none=True,
        metadata={"description": "Its line in the text, from 1; null where JSON was sent", "example": 9},
    )
    field = fields.String(
        metadata={
            "description": "Path of the field in the document; empty for the document itself",
            "example": "machineClass.size",
        }
    )
    message = fields.String(metadata={"description": "What is wrong", "example": "Must be a number, or `unlimited`."})


class TemplateValiditySchema(SpecSchema):
    """Whether a template is valid, and if not, why."""

    valid = wire.Boolean(metadata={"description": "Whether nothing is wrong", "example": True})
    faults = fields.List(
        fields.Nested(TemplateFaultSchema), metadata={"description": "All that is wrong, in the order of the template"}
    )


def _validity(body: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        parsed(body)
    except TemplateFaults as error:
        faults = [
            {"document": each.document, "line": each.line, "field": each.field, "message": each.message}
            for each in error.faults
        ]
        return {"valid": False, "faults": faults}
    return {"valid": True, "faults": []}


def validate(adapter: ClusterTemplateAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Return whether a kept template is valid by the rules of this release."""
    return _validity({"text": adapter.get(id).spec["text"]})


def validate_sent(adapter: ClusterTemplateAdapter, body: Mapping[str, Any], *, dry_run: bool) -> Mapping[str, Any]:
    """Return whether a template is valid."""
    return _validity(body)


_ABOUT = (
    "Answers 200 whether it is valid or not. Omni is not asked: that a version or a class exists, `diff` finds out."
)

VALIDATE = Action(
    "validate",
    role=Role.READER,
    summary="Check a kept template by the rules of the format",
    description=f"{_ABOUT} A template that was valid when it was kept may not be for a newer release.",
    answers=TemplateValiditySchema,
    run=validate,
)
VALIDATE_SENT = Action(
    "validate",
    role=Role.READER,
    summary="Check a template by the rules of the format",
    description=_ABOUT,
    body=SentTemplateSchema,
    example={"documents": EXAMPLE_DOCUMENTS},
    answers=TemplateValiditySchema,
    on_collection=True,
    cluster_independent=True,
    run=validate_sent,
)
