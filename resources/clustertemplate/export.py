"""The template of a living cluster, whoever made it: ``GET /clusters/{id}/exported-template``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from omni_gateway.sdk import Problem, Role, SpecSchema
from omni_gateway.sdk.actions import ComputedDocument
from omni_gateway.sdk.extensions import Extension
from omni_gateway.sdk.templates import export
from resources.clustertemplate.adapter import ClusterTemplateAdapter
from resources.clustertemplate.bodies import EXAMPLE_YAML
from resources.clustertemplate.comparison import living_objects
from resources.clustertemplate.content import dumped
from resources.clustertemplate.schemas import EXAMPLE_DOCUMENTS


class InexactObjectSchema(SpecSchema):
    """An object that the template does not render as it is."""

    type = fields.String(
        metadata={"description": "Type of the object, in full", "example": "ExtensionsConfigurations.omni.sidero.dev"}
    )
    id = fields.String(metadata={"description": "Id of the object in Omni", "example": "my-cluster-extensions"})


class ExportedTemplateSchema(SpecSchema):
    """The template of a cluster."""

    text = fields.String(metadata={"description": "The template as YAML", "example": EXAMPLE_YAML})
    documents = fields.List(
        fields.Dict(keys=fields.String(), metadata={"additionalProperties": True}),
        metadata={"description": "The same documents as JSON", "example": EXAMPLE_DOCUMENTS},
    )
    inexact = fields.List(
        fields.Nested(InexactObjectSchema),
        metadata={
            "description": "Objects of the cluster that a template cannot say as they are: a sync of these documents"
            " would change or remove them"
        },
    )


def template(adapter: ClusterTemplateAdapter, id: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the template that renders a cluster's objects. Raises 409 for a cluster that is being removed."""
    try:
        exported = export(living_objects(adapter.omni, id).values())
    except LookupError:
        raise Problem(409, "tearing-down", f"Cluster {id!r} is being removed.") from None
    documents = exported.template.to_documents()
    inexact = [{"type": each.type, "id": each.id} for each in exported.inexact]
    return {"text": dumped(documents), "documents": documents, "inexact": inexact}


EXPORT = Extension(
    "clusters",
    documents=[
        ComputedDocument(
            "exported-template",
            role=Role.OPERATOR,
            summary="Export the cluster as a template",
            description="Of any cluster, whoever made it; a sync of it changes nothing, except what `inexact` names.",
            answers=ExportedTemplateSchema,
            run=template,
        )
    ],
)
