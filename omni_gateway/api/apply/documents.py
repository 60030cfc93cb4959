"""A document of omnictl's format: ``metadata`` with type and id, labels and annotations, and a ``spec``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import marshmallow as ma
from marshmallow import fields

from omni_gateway.api.any_type.kinds import GenericResourceSchema
from omni_gateway.http.problems import Problem
from omni_gateway.model.resource import Resource
from omni_gateway.plain_scalar import PlainScalar, text_of, value_of
from omni_gateway.rest import cluster_lock
from omni_gateway.rest.schema import SpecSchema

#: What Omni says of an object beside what a caller decides; ``omnictl get -o yaml`` prints it, so it comes back.
_BOOKKEEPING = ("version", "owner", "phase", "created", "updated", "finalizers")

#: The documents of a cluster template, which omnictl turns into objects.
_TEMPLATE_KINDS = frozenset({"Cluster", "ControlPlane", "Workers", "Machine"})


class ApplyMetadataSchema(SpecSchema):
    """Which object a document is about."""

    type = fields.String(required=True, metadata={"description": "Full or short name of its type, in either case"})
    id = fields.String(required=True)
    namespace = fields.String(
        allow_none=True, metadata={"description": "May be left out; only the type's own is taken"}
    )
    labels = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True), allow_none=True)
    annotations = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True), allow_none=True)

    @ma.pre_load
    def drop_bookkeeping(self, data: Any, **_: Any) -> Any:
        """Let a document that Omni printed be sent back; every scalar here is a text, as it stands in the YAML."""
        if not isinstance(data, Mapping):
            return data
        return {key: _texts(key, value) for key, value in data.items() if key not in _BOOKKEEPING}


def _texts(name: str, value: Any) -> Any:
    """Return the texts of YAML's scalars: an id, a type, the values of labels and annotations.

    A lock's ``null`` that is spelled out stays null, which takes the lock off; omnictl prints a lock with no value at
    all, which is the empty text.
    """
    if isinstance(value, Mapping):
        return {
            key: None if key in cluster_lock.LOCKS and _is_spelled_null(item) else text_of(item)
            for key, item in value.items()
        }
    return value_of(value) if value_of(value) is None else text_of(value)


def _is_spelled_null(value: Any) -> bool:
    return isinstance(value, PlainScalar) and value.value is None and value.text != ""


class ApplyDocumentSchema(SpecSchema):
    """One object in omnictl's format."""

    metadata = fields.Nested(ApplyMetadataSchema, required=True)
    spec = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        allow_none=True,
        metadata={"description": "Members by proto name or in omnictl's spelling", "additionalProperties": True},
    )

    @ma.pre_load
    def read_null(self, data: Any, **_: Any) -> Any:
        """Read a ``spec:`` without a value as null."""
        return {key: value_of(value) for key, value in data.items()} if isinstance(data, Mapping) else data


_SCHEMA = ApplyDocumentSchema()


@dataclass(frozen=True, slots=True)
class Document:
    """One document that could be read; ``key`` names its object among all."""

    index: int
    wanted: Resource
    #: As the document has them: a lock's null takes it off.
    annotations: Mapping[str, str | None]

    def over(self, existing: Resource) -> Resource:
        """Return the object with what the document says; locks that it does not name stay."""
        annotations = cluster_lock.with_locks({**self.annotations, **self.wanted.annotations}, existing.annotations)
        return replace(existing, spec=self.wanted.spec, labels=self.wanted.labels, annotations=annotations)

    @property
    def key(self) -> tuple[str, str]:
        """Return type and id."""
        return self.wanted.type, self.wanted.id


def named(raw: Any) -> tuple[str, str]:
    """Return the type and the id that a document claims, as far as it does, to name it in an answer."""
    metadata = raw.get("metadata") if isinstance(raw, Mapping) else None
    if not isinstance(metadata, Mapping):
        return "", ""
    return str(text_of(metadata.get("type", "")))[:200], str(text_of(metadata.get("id", "")))[:1024]


def loaded(raw: Any) -> Mapping[str, Any]:
    """Return a document, validated; a ``validation`` problem names what is wrong with it."""
    if isinstance(raw, Mapping) and "metadata" not in raw and str(raw.get("kind")) in _TEMPLATE_KINDS:
        text = f"This is a part of a cluster template (kind {raw['kind']}), not an object of Omni's."
        hint = "Send what `omnictl cluster template render --file FILE` prints."
        raise Problem(422, "validation", text, errors={"kind": [text]}, hint=hint)
    try:
        document: Mapping[str, Any] = _SCHEMA.load(raw)
    except ma.ValidationError as error:
        raise Problem.from_validation(error, schema=_SCHEMA) from error
    return document


def read(index: int, document: Mapping[str, Any], schema: GenericResourceSchema, namespace: str) -> Document:
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
    wanted = schema.to_resource(checked, type=schema.type, namespace=namespace)
    return Document(index, wanted, checked.get("annotations") or {})
