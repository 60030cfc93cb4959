"""The template of a living cluster, whoever made it: ``GET /clusters/{id}/exported-template``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import fields

from omni_gateway.sdk import Role, SpecSchema
from omni_gateway.sdk.actions import ComputedDocument, FileResponse
from omni_gateway.sdk.extensions import Extension
from omni_gateway.sdk.templates import export
from resources.clustertemplate.adapter import ClusterTemplateAdapter
from resources.clustertemplate.comparison import living_objects
from resources.clustertemplate.content import dumped
from resources.clustertemplate.schemas import EXAMPLE_DOCUMENTS

YAML = "application/yaml"


class InexactObjectSchema(SpecSchema):
    """An object that the template does not render as it is."""

    type = fields.String(
        metadata={"description": "Type of the object, in full", "example": "ExtensionsConfigurations.omni.sidero.dev"}
    )
    id = fields.String(metadata={"description": "Id of the object in Omni", "example": "my-cluster-extensions"})


class ExportedTemplateSchema(SpecSchema):
    """The template of a cluster."""

    documents = fields.List(
        fields.Dict(keys=fields.String(), metadata={"additionalProperties": True}),
        metadata={"description": "The documents of the template", "example": EXAMPLE_DOCUMENTS},
    )
    inexact = fields.List(
        fields.Nested(InexactObjectSchema),
        metadata={
            "description": "Objects of the cluster that a template cannot say as they are: a sync of these documents"
            " would change or remove them"
        },
    )


def template(adapter: ClusterTemplateAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any] | FileResponse:
    """Return the template that renders a cluster's objects."""
    exported = export(living_objects(adapter.omni, id).values())
    documents = exported.template.to_documents()
    inexact = [{"type": each.type, "id": each.id} for each in exported.inexact]
    if request.accept_mimetypes.best_match(["application/json", YAML]) == YAML:
        notes = [f"# Not as in the cluster: {each['type']} {each['id']}\n" for each in inexact]
        return FileResponse(("".join(notes) + dumped(documents)).encode(), YAML)
    return {"documents": documents, "inexact": inexact}


EXPORT = Extension(
    "clusters",
    documents=[
        ComputedDocument(
            "exported-template",
            role=Role.OPERATOR,
            summary="Export the cluster as a template",
            description="Of any cluster, whoever made it; a sync of it changes nothing, except what `inexact` names."
            " With `Accept: application/yaml` as YAML.",
            answers=ExportedTemplateSchema,
            media_type=YAML,
            run=template,
        )
    ],
)
