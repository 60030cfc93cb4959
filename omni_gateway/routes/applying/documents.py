"""A document of omnictl's format: ``metadata`` with type and id, labels and annotations, and a ``spec``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import fields

from omni_gateway.http.problems import Problem
from omni_gateway.routes.generic.kinds import GenericResourceSchema
from omni_gateway.sdk.resource import Resource
from omni_gateway.sdk.schema import SpecSchema

#: What Omni says of an object beside what a caller decides; ``omnictl get -o yaml`` prints it, so it comes back.
_BOOKKEEPING = ("version", "owner", "phase", "created", "updated", "finalizers")


class ApplyMetadataSchema(SpecSchema):
    """Which object a document is about."""

    type = fields.String(required=True, metadata={"description": "Full or short name of its type, in either case"})
    id = fields.String(required=True)
    namespace = fields.String(metadata={"description": "May be left out; only the type's own is taken"})
    labels = fields.Dict(keys=fields.String(), values=fields.String(), allow_none=True)
    annotations = fields.Dict(keys=fields.String(), values=fields.String(), allow_none=True)

    @ma.pre_load
    def drop_bookkeeping(self, data: Any, **_: Any) -> Any:
        """Let a document that Omni printed be sent back."""
        if not isinstance(data, Mapping):
            return data
        return {key: value for key, value in data.items() if key not in _BOOKKEEPING}


class ApplyDocumentSchema(SpecSchema):
    """One object in omnictl's format."""

    metadata = fields.Nested(ApplyMetadataSchema, required=True)
    spec = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        allow_none=True,
        metadata={"description": "Members by proto name or in omnictl's spelling", "additionalProperties": True},
    )


_SCHEMA = ApplyDocumentSchema()


@dataclass(frozen=True, slots=True)
class Document:
    """One document that could be read; ``key`` names its object among all."""

    index: int
    wanted: Resource

    @property
    def key(self) -> tuple[str, str]:
        """Return type and id."""
        return self.wanted.type, self.wanted.id


def named(raw: Any) -> tuple[str, str]:
    """Return the type and the id that a document claims, as far as it does, to name it in an answer."""
    metadata = raw.get("metadata") if isinstance(raw, Mapping) else None
    if not isinstance(metadata, Mapping):
        return "", ""
    return str(metadata.get("type", ""))[:200], str(metadata.get("id", ""))[:1024]


def loaded(raw: Any) -> Mapping[str, Any]:
    """Return a document, validated; a ``validation`` problem names what is wrong with it."""
    try:
        document: Mapping[str, Any] = _SCHEMA.load(raw)
    except ma.ValidationError as error:
        raise Problem.from_validation(error, schema=_SCHEMA) from error
    return document


def resource_of(document: Mapping[str, Any], schema: GenericResourceSchema, namespace: str) -> Resource:
    """Return the object that a document describes; ``validation`` problems, also for another namespace."""
    metadata = document["metadata"]
    if metadata.get("namespace") not in (None, "", namespace):
        text = f"Objects of this type live in {namespace!r}; anywhere else Omni would keep it and never look at it."
        raise Problem(422, "validation", errors={"metadata.namespace": [text]})
    body = {name: metadata[name] for name in ("id", "labels", "annotations") if metadata.get(name) is not None}
    try:
        checked = schema.load({**body, "spec": document["spec"] or {}})
    except ma.ValidationError as error:
        raise Problem.from_validation(error, schema=schema) from error
    return schema.to_resource(checked, type=schema.type, namespace=namespace)
