"""Kept cluster templates as callers read and write them, and the bodies and answers of their actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.sdk import ResourceSchema, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import BodyForm, SentBody
from resources.clustertemplate.bodies import EXAMPLE_YAML, FORMS, MAX_BYTES, MAX_FILES
from resources.clustertemplate.content import template_of

#: The states of drift, and how many objects it names.
NONE, DRIFTED, FAILED = "none", "drifted", "failed"
MOST_NAMED = 50

EXAMPLE_DOCUMENTS: list[dict[str, Any]] = [
    {
        "kind": "Cluster",
        "name": "my-cluster",
        "kubernetes": {"version": "v1.35.6"},
        "talos": {"version": "v1.13.7"},
    },
    {"kind": "ControlPlane", "machineClass": {"name": "metal", "size": 1}},
    {"kind": "Workers", "machineClass": {"name": "metal", "size": 2}},
]
EXAMPLE: dict[str, Any] = {"id": "my-cluster", "documents": EXAMPLE_DOCUMENTS, "sync": "manual"}


def _documents() -> fields.List[Any]:
    return fields.List(
        fields.Dict(keys=fields.String(), metadata={"additionalProperties": True}),
        metadata={
            "description": "The documents: `Cluster`, `ControlPlane`, `Workers`, `Machine`, as omnictl's templates have"
            " them",
            "example": EXAMPLE_DOCUMENTS,
        },
    )


def _text(description: str) -> fields.String:
    return fields.String(
        validate=validate.Length(max=MAX_BYTES), metadata={"description": description, "example": EXAMPLE_YAML}
    )


def _files() -> fields.Dict:
    return fields.Dict(
        keys=fields.String(validate=validate.Length(min=1, max=1024)),
        values=fields.String(),
        validate=validate.Length(max=MAX_FILES),
        metadata={
            "description": "The files that the documents name by `file:`, path → text; they are put into the documents,"
            " so that this is empty in answers",
            "example": {},
        },
    )


class SentTemplateSchema(SpecSchema):
    """A template that is sent and not kept: `text` or `documents`."""

    body_forms = FORMS

    documents = _documents()
    text = _text("The template as YAML, in the place of `documents`")
    files = _files()

    @ma.validates_schema
    def has_a_template(self, data: Mapping[str, Any], **_: Any) -> None:
        """Raise for a body with neither form of a template."""
        if not data.get("text") and not data.get("documents"):
            raise ma.ValidationError("Missing: give `documents` or `text`.", "documents")


def _named_by_cluster(form: BodyForm) -> Callable[[SentBody], Mapping[str, Any]]:
    """Return a function that reads a body and takes the id from the template's Cluster."""

    def read(body: SentBody) -> Mapping[str, Any]:
        value = form.read(body)
        return {"id": template_of(value).name, **value}

    return read


class DriftedObjectSchema(SpecSchema):
    """An object that is not as its template says."""

    type = fields.String(
        metadata={"description": "Type of the object, in full", "example": "MachineSets.omni.sidero.dev"}
    )
    id = fields.String(metadata={"description": "Id of the object in Omni", "example": "my-cluster-workers"})
    action = fields.String(
        metadata={
            "description": "What a sync would do",
            "enum": ["created", "updated", "destroyed", "failed", "skipped"],
            "example": "updated",
        }
    )


class DriftSchema(SpecSchema):
    """How a cluster differs from its template."""

    state = fields.String(
        metadata={
            "description": "`none`: it does not; `drifted`: a sync would change `objects`; `failed`: it could not be"
            " compared or synced, see `error`",
            "enum": [NONE, DRIFTED, FAILED],
            "example": NONE,
        }
    )
    since = wire.Timestamp(metadata={"description": "When this was found first", "example": "2026-08-21T10:00:00Z"})
    objects = fields.List(
        fields.Nested(DriftedObjectSchema),
        metadata={"description": f"The objects that differ, the first {MOST_NAMED}"},
    )
    error = fields.String(metadata={"description": "Why it failed; else empty", "example": ""})


class ClusterTemplateSchema(ResourceSchema):
    """A kept template. Its id is the name of its cluster.

    `text` and `documents` are one template in two forms: a write changes the other one with it. Where a write has
    both, they have to say the same.
    """

    body_forms = {name: replace(form, read=_named_by_cluster(form)) for name, form in FORMS.items()}

    documents = _documents()
    text = _text("The template as YAML, as it was sent if it was sent so")
    files = _files()
    sync = fields.String(
        validate=validate.OneOf(["manual", "report", "enforce"]),
        metadata={
            "description": "`manual`: it is synced by the action only; `report`: `drift` shows how the cluster differs"
            " from it; `enforce`: what differs is synced, by the gateway itself. A write without it leaves it as it is;"
            " `manual` for a new template",
            "example": "manual",
        },
    )
    drift = wire.Message(
        DriftSchema,
        dump_only=True,
        metadata={
            "description": "How the cluster differs, found within a minute; null before it was compared, and with"
            " `manual`"
        },
    )
    revision = wire.Integer(
        dump_only=True, metadata={"description": "Number of the version in its history, from 1", "example": 1}
    )
    changed_by = fields.String(
        dump_only=True, metadata={"description": "Who wrote this version", "example": "deploy-pipeline"}
    )
    changed_at = wire.Timestamp(
        dump_only=True, metadata={"description": "When this version was written", "example": "2026-08-21T10:00:00Z"}
    )
