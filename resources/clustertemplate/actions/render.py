"""The action render: the objects of a template, as ``omnictl cluster template render`` prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from flask import request
from marshmallow import fields

from omni_gateway.sdk import Resource, Role, SpecSchema
from omni_gateway.sdk.actions import Action, FileResponse
from omni_gateway.sdk.templates import Template
from omni_gateway.sdk.templates import render as rendered
from resources.clustertemplate.adapter import ClusterTemplateAdapter
from resources.clustertemplate.content import template_of
from resources.clustertemplate.schemas import EXAMPLE_DOCUMENTS, SentTemplateSchema

YAML = "application/yaml"


class RenderedMetadataSchema(SpecSchema):
    """Metadata of a rendered object."""

    namespace = fields.String(metadata={"description": "Namespace of its type", "example": "default"})
    type = fields.String(metadata={"description": "Type of the object, in full", "example": "Clusters.omni.sidero.dev"})
    id = fields.String(metadata={"description": "Id of the object in Omni", "example": "my-cluster"})
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={
            "description": "Omni's own relate it to its cluster",
            "example": {"omni.sidero.dev/cluster": "my-cluster"},
        },
    )
    annotations = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "Few objects have some", "example": {}},
    )


class RenderedObjectSchema(SpecSchema):
    """An object of a template, as `POST /apply` takes it."""

    metadata = fields.Nested(RenderedMetadataSchema, metadata={"description": "Type, id, labels and annotations"})
    spec = fields.Dict(
        keys=fields.String(),
        metadata={
            "description": "Its spec, by proto names",
            "additionalProperties": True,
            "example": {"kubernetes_version": "1.35.6", "talos_version": "1.13.7"},
        },
    )


class RenderedTemplateSchema(SpecSchema):
    """The objects of a template."""

    objects = fields.List(
        fields.Nested(RenderedObjectSchema), metadata={"description": "The objects, in the order of omnictl"}
    )


def _answer(template: Template) -> Mapping[str, Any] | FileResponse:
    objects = [document_of(each) for each in rendered(template)]
    if request.accept_mimetypes.best_match(["application/json", YAML]) == YAML:
        return FileResponse(as_yaml(objects).encode(), YAML)
    return {"objects": objects}


def document_of(resource: Resource) -> dict[str, Any]:
    """Return an object in omnictl's format."""
    return {
        "metadata": {
            "namespace": resource.namespace,
            "type": str(resource.type),
            "id": resource.id,
            "labels": dict(resource.labels),
            "annotations": dict(resource.annotations),
        },
        "spec": dict(resource.spec),
    }


def as_yaml(objects: Sequence[Mapping[str, Any]]) -> str:
    """Return objects as YAML documents."""
    return yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True, width=1 << 20)


def render(
    adapter: ClusterTemplateAdapter, id: str, body: Mapping[str, Any], *, dry_run: bool
) -> Mapping[str, Any] | FileResponse:
    """Return the objects of a kept template."""
    return _answer(adapter.template(id))


def render_sent(
    adapter: ClusterTemplateAdapter, body: Mapping[str, Any], *, dry_run: bool
) -> Mapping[str, Any] | FileResponse:
    """Return the objects of a template."""
    return _answer(template_of(body))


_ABOUT = "With `Accept: application/yaml` as YAML documents. Omni is not asked; nothing is written."

RENDER = Action(
    "render",
    role=Role.READER,
    summary="Render a kept template as Omni's objects",
    description=_ABOUT,
    answers=RenderedTemplateSchema,
    media_type=YAML,
    run=render,
)
RENDER_SENT = Action(
    "render",
    role=Role.READER,
    summary="Render a template as Omni's objects",
    description=f"{_ABOUT} A template that is not valid is a 422 with all its faults.",
    body=SentTemplateSchema,
    example={"documents": EXAMPLE_DOCUMENTS},
    answers=RenderedTemplateSchema,
    media_type=YAML,
    on_collection=True,
    cluster_independent=True,
    run=render_sent,
)
