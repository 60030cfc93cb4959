"""Documents in omnictl's format: ``metadata`` with type, id, labels and annotations, and a ``spec``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import marshmallow as ma
from marshmallow import fields

from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.plain_scalar import PlainScalar, text_of, value_of
from omni_gateway.rest import cluster_lock
from omni_gateway.rest.any_type.kinds import GenericResourceSchema
from omni_gateway.rest.schema import SpecSchema

#: Omni's own metadata; ``omnictl get -o yaml`` prints it, so documents may contain it. It is ignored.
_READ_ONLY = ("version", "owner", "phase", "created", "updated", "finalizers")

#: The kinds of documents in a cluster template, which omnictl renders as objects.
_TEMPLATE_KINDS = frozenset({"Cluster", "ControlPlane", "Workers", "Machine"})


class ApplyMetadataSchema(SpecSchema):
    """Type, id, labels and annotations of a document's object."""

    type = fields.String(
        required=True,
        metadata={
            "description": "Full or short name of its type, in either case",
            "example": "MachineClasses.omni.sidero.dev",
        },
    )
    id = fields.String(required=True, metadata={"description": "Id of the object", "example": "metal"})
    namespace = fields.String(allow_none=True, metadata={"description": "May be left out; must be the type's own"})
    labels = fields.Dict(
        keys=fields.String(),
        values=fields.String(allow_none=True),
        allow_none=True,
        metadata={"description": "Labels of the object, which replace those it has"},
    )
    annotations = fields.Dict(
        keys=fields.String(),
        values=fields.String(allow_none=True),
        allow_none=True,
        metadata={
            "description": "Annotations of the object, which replace those it has; locks stay unless they are null"
        },
    )

    @ma.pre_load
    def drop_read_only(self, data: Any, **_: Any) -> Any:
        """Drop Omni's own metadata and turn scalars into texts, as they are written in the YAML."""
        if not isinstance(data, Mapping):
            return data
        return {key: _texts(key, value) for key, value in data.items() if key not in _READ_ONLY}


def _texts(name: str, value: Any) -> Any:
    """Return the texts of YAML scalars: an id, a type, the values of labels and annotations.

    An explicit ``null`` of a lock stays null, which removes the lock; omnictl prints a lock without any value, which is
    the empty text.
    """
    if isinstance(value, Mapping):
        return {
            key: None if key in cluster_lock.LOCKS and _is_explicit_null(item) else text_of(item)
            for key, item in value.items()
        }
    return value_of(value) if value_of(value) is None else text_of(value)


def _is_explicit_null(value: Any) -> bool:
    return isinstance(value, PlainScalar) and value.value is None and value.text != ""


class ApplyDocumentSchema(SpecSchema):
    """One object in omnictl's format."""

    metadata = fields.Nested(
        ApplyMetadataSchema, required=True, metadata={"description": "Type, id, labels and annotations of the object"}
    )
    spec = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        allow_none=True,
        metadata={"description": "Members by proto name or in omnictl's spelling", "additionalProperties": True},
    )

    @ma.pre_load
    def read_null(self, data: Any, **_: Any) -> Any:
        """Convert YAML scalars; a ``spec:`` without a value is null."""
        return {key: value_of(value) for key, value in data.items()} if isinstance(data, Mapping) else data


_SCHEMA = ApplyDocumentSchema()


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document: its position in the request (from 0) and its object."""

    index: int
    wanted: Resource
    #: As in the document; null removes a lock.
    annotations: Mapping[str, str | None]

    def over(self, existing: Resource) -> Resource:
        """Return ``existing`` with the document's spec, labels and annotations; locks it does not name are kept."""
        annotations = cluster_lock.with_locks({**self.annotations, **self.wanted.annotations}, existing.annotations)
        return replace(existing, spec=self.wanted.spec, labels=self.wanted.labels, annotations=annotations)

    @property
    def key(self) -> tuple[str, str]:
        """Return type and id of the object."""
        return self.wanted.type, self.wanted.id


def document_of(resource: Resource) -> dict[str, Any]:
    """Return an object as a document in omnictl's format."""
    labels, annotations = dict(resource.labels), dict(resource.annotations)
    metadata = {"type": resource.type, "id": resource.id, "labels": labels, "annotations": annotations}
    return {"metadata": metadata, "spec": dict(resource.spec)}


def named(raw: Any) -> tuple[str, str]:
    """Return type and id of an unchecked document, to name it in the response; empty where they are missing."""
    metadata = raw.get("metadata") if isinstance(raw, Mapping) else None
    if not isinstance(metadata, Mapping):
        return "", ""
    return str(text_of(metadata.get("type", "")))[:200], str(text_of(metadata.get("id", "")))[:1024]


def loaded(raw: Any) -> Mapping[str, Any]:
    """Return a validated document. Raises a 422 problem with the errors by field."""
    if isinstance(raw, Mapping) and "metadata" not in raw and str(raw.get("kind")) in _TEMPLATE_KINDS:
        text = f"This is part of a cluster template (kind {raw['kind']}), not an Omni object."
        hint = (
            "POST the whole template to /api/v1/cluster-templates/actions/sync, or what .../actions/render makes of it."
        )
        raise Problem(422, "validation", text, errors={"kind": [text]}, hint=hint)
    try:
        document: Mapping[str, Any] = _SCHEMA.load(raw)
    except ma.ValidationError as error:
        raise Problem.from_validation(error, schema=_SCHEMA) from error
    return document


def read(index: int, document: Mapping[str, Any], schema: GenericResourceSchema, namespace: str) -> Document:
    """Return the document with its object. Raises a 422 problem for an invalid spec or another namespace."""
    metadata = document["metadata"]
    if metadata.get("namespace") not in (None, "", namespace):
        text = f"Objects of this type are in {namespace!r}; Omni would store one elsewhere and never read it."
        raise Problem(422, "validation", errors={"metadata.namespace": [text]})
    body = {name: metadata[name] for name in ("id", "labels", "annotations") if metadata.get(name) is not None}
    try:
        checked = schema.load({**body, "spec": document["spec"] or {}})
    except ma.ValidationError as error:
        raise Problem.from_validation(error, schema=schema) from error
    wanted = schema.to_resource(checked, type=schema.type, namespace=namespace)
    return Document(index, wanted, checked.get("annotations") or {})
