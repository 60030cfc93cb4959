"""The versions of a kept template, and its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import fields

from omni_gateway.sdk import Role, SpecSchema
from omni_gateway.sdk import fields as wire
from omni_gateway.sdk.actions import ComputedDocument
from resources.clustertemplate.adapter import MAX_VERSIONS, ClusterTemplateAdapter
from resources.clustertemplate.bodies import EXAMPLE_YAML


class VersionSchema(SpecSchema):
    """One version of a template."""

    number = wire.Integer(metadata={"description": "Number of the version, from 1", "example": 3})
    changed_by = fields.String(metadata={"description": "Who wrote it", "example": "deploy-pipeline"})
    changed_at = wire.Timestamp(metadata={"description": "When it was written", "example": "2026-08-21T10:00:00Z"})
    sync = fields.String(metadata={"description": "When it was synced: see the template's `sync`", "example": "manual"})


class WholeVersionSchema(VersionSchema):
    """One version of a template, with its text."""

    text = fields.String(metadata={"description": "The template as YAML", "example": EXAMPLE_YAML})


def history(adapter: ClusterTemplateAdapter, id: str, query: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the versions of a template, the newest first."""
    return [version.to_dict() for version in adapter.versions(id)]


def version(adapter: ClusterTemplateAdapter, id: str, number: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return one version of a template."""
    found = adapter.version(id, number)
    return {**found.to_dict(), "text": found.text}


HISTORY = ComputedDocument(
    "history",
    role=Role.READER,
    summary="The versions of a template, the newest first",
    description=f"The last {MAX_VERSIONS} are kept, until the template is removed.",
    answers=VersionSchema,
    many=True,
    run=history,
)
VERSION = ComputedDocument(
    "history/<number>",
    role=Role.READER,
    summary="One version of a template, with its text",
    description="To go back to it, PUT its text.",
    answers=WholeVersionSchema,
    run=version,
)
