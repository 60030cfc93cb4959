"""Base classes of schemas: a plugin declares the fields of its specs, the envelope is common to all resources."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, Self, cast

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.http.body_forms import BodyForm
from omni_gateway.http.fixed_schema import FixedSchema
from omni_gateway.http.openapi import dry_run
from omni_gateway.model.resource import Resource
from omni_gateway.rest import cluster_lock
from omni_gateway.rest.serializer import compile_schema

ENVELOPE = frozenset({"id", "namespace", "labels", "annotations", "metadata", "_links"})
READ_ONLY_ENVELOPE = ("metadata", "_links", "namespace", dry_run.MEMBER)

MAX_ID_BYTES = 1024
_ABSENT = object()
#: Values that mean "not set".
_UNSET: tuple[Any, ...] = (None, False, 0, "")
_PAIRS = validate.Length(max=256)


def _short_text(maximum: int, minimum: int = 0) -> Callable[[str], None]:
    """Return a validator of a text without control characters; Omni's limits count its bytes."""

    def check(text: str) -> None:
        problems = []
        if not minimum <= len(text.encode()) <= maximum:
            limits = f"{minimum} to {maximum}" if minimum else f"at most {maximum}"
            problems.append(f"Must be {limits} bytes.")
        if _CONTROL_CHARACTER.search(text):
            problems.append(_NO_CONTROL_CHARACTERS)
        if problems:
            raise ma.ValidationError(problems)

    return check


_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_NO_CONTROL_CHARACTERS = "Must not contain control characters."
_LABEL_KEY = _short_text(1024, minimum=1)
_LABEL_VALUE = _short_text(16384)


def _valid_id(text: str) -> None:
    """Raise ``ValidationError`` for an id that Omni accepts for no type."""
    if not text:
        raise ma.ValidationError("Must not be empty.")
    if len(text.encode()) > MAX_ID_BYTES:
        raise ma.ValidationError(f"Must be at most {MAX_ID_BYTES} bytes.")
    if _CONTROL_CHARACTER.search(text):
        raise ma.ValidationError(_NO_CONTROL_CHARACTERS)


class SpecSchema(FixedSchema):
    """Base class of schemas of nested messages and of action bodies; unknown fields are rejected."""

    #: For an action's body: True if a request without a body is treated as an empty object.
    body_optional: ClassVar[bool] = False

    #: Of a body: further media types that it may have beside JSON, and how each is read.
    body_forms: ClassVar[Mapping[str, BodyForm]] = {}

    class Meta:
        """Reject fields that are not declared."""

        unknown = ma.RAISE


class MetadataSchema(SpecSchema):
    """The back end's metadata of an object; read-only."""

    type = fields.String(
        metadata={
            "description": "Omni's type of the object; the gateway's own word for objects of its store",
            "example": "Clusters.omni.sidero.dev",
        }
    )
    version = fields.Integer(
        metadata={"description": "Increased by every write, also by the back end's own", "example": 3}
    )
    phase = fields.String(
        metadata={
            "description": "`tearingDown` from the delete on, until all finalizers are gone and the object is removed",
            "example": "running",
            "enum": ["running", "tearingDown"],
        }
    )
    owner = fields.String(
        metadata={"description": "The controller that owns the object; empty for users' objects", "example": ""}
    )
    created = fields.String(
        allow_none=True,
        metadata={
            "description": "When the object was created; null: not recorded",
            "example": "2026-08-21T10:00:00Z",
            "format": "date-time",
        },
    )
    updated = fields.String(
        allow_none=True,
        metadata={
            "description": "When the object was written last; null: not recorded",
            "example": "2026-08-21T10:00:00Z",
            "format": "date-time",
        },
    )
    finalizers = fields.List(
        fields.String(),
        metadata={
            "description": "Controllers that have work left before a deleted object goes away",
            "example": ["ClusterController"],
        },
    )


def _pairs(description: str) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(validate=_LABEL_KEY),
        values=fields.String(validate=_LABEL_VALUE, allow_none=True),
        validate=_PAIRS,
        metadata={"description": description, "additionalProperties": {"type": ["string", "null"]}},
    )


class ResourceSchema(SpecSchema):
    """Base class of every resource's schema: it declares the envelope, a subclass the fields of the spec.

    A caller may send back a document that it read: ``metadata``, ``_links``, ``namespace`` and the fields that a plugin
    declares ``dump_only`` are accepted and ignored.
    """

    id = fields.String(
        required=True,
        validate=_valid_id,
        metadata={"description": "Id of the object, unique in its type; the last part of its URL"},
    )
    namespace = fields.String(
        dump_only=True,
        metadata={
            "description": "Namespace of the object in Omni, nearly always `default`; set by the type",
            "example": "default",
        },
    )
    labels = _pairs("Labels; selectors match them. `null` is the empty text")
    annotations = _pairs(
        "Annotations; `null` is the empty text. A lock is kept by a write that does not name it; `null` removes a lock"
    )
    metadata = fields.Nested(
        MetadataSchema,
        dump_only=True,
        metadata={"description": "Version, phase, owner and times, as the back end keeps them"},
    )
    links = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="_links",
        dump_only=True,
        metadata={
            "description": "Relative URLs of this object (`self`) and of related ones, by name",
            "additionalProperties": {"type": "string"},
        },
    )

    #: True if a caller may leave the id out; the adapter's ``check`` then sets it.
    id_optional: ClassVar[bool] = False

    #: Fields of a POST that are not part of the object's spec; the adapter gets them as ``extras``.
    request_only: ClassVar[frozenset[str]] = frozenset()

    #: Texts of a create's response that are returned once and stored nowhere: they are empty in later reads, and in a
    #: response that is replayed for an ``Idempotency-Key`` to another credential.
    returned_once: ClassVar[frozenset[str]] = frozenset()

    #: Aliases: further names of spec members (``{"workload_proxy": "features.enable_workload_proxy"}``), of the ``id``
    #: or of labels (``{"cluster": "labels:omni.sidero.dev/cluster"}``). Each is declared as a ``dump_only`` field;
    #: callers read the value under both names and may write it under either.
    aliases: ClassVar[Mapping[str, str]] = {}

    render_spec: Callable[[Mapping[str, Any]], dict[str, Any]]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fields["id"].required = self.fields["id"].required and not self.id_optional
        self._aliases = {name: _path(text) for name, text in self.aliases.items()}
        self._spec_aliases = {name: path for name, path in self._aliases.items() if path[0] not in ENVELOPE}
        self.spec_names = frozenset(self.fields) - ENVELOPE - {"links"} - self.request_only
        self._render_members = compile_schema(self, only=self.spec_names)
        self.render_spec = self._render_with_aliases if self._spec_aliases else self._render_members
        wire = {self.fields[name].attribute or name: self.fields[name] for name in self.spec_names}
        self._read_only = frozenset(key for key, field in self.dump_fields.items() if field.dump_only)
        self._writable = frozenset(key for key, field in wire.items() if not field.dump_only)

    def fix_id(self, id: str) -> None:
        """Make ``id`` the only valid id and its default; called for singletons."""
        field = self.fields["id"]
        field.required, field.load_default = False, id
        field.validate = validate.Equal(id)
        field.validators = [field.validate]

    def with_id_in_url(self) -> Self:
        """Return a schema like this one for the body of a PUT, which may leave the id out: the URL has it."""
        if not self.fields["id"].required:
            return self
        schema = type(self)()
        schema.fields["id"].required = False
        return schema

    @ma.pre_load
    def drop_read_only(self, data: Any, **_: Any) -> Any:
        """Drop read-only fields and resolve aliases, so that a document that was read can be sent back.

        Raises ``ValidationError`` for an alias and a first name with different values.
        """
        if not isinstance(data, Mapping):
            return data
        given = {key: value for key, value in data.items() if key not in self._aliases or self._is_set(data, key)}
        plain = self.without_aliases(given, null_counts=False)
        return {
            key: value for key, value in plain.items() if key not in READ_ONLY_ENVELOPE and key not in self._read_only
        }

    def _is_set(self, document: Mapping[str, Any], alias: str) -> bool:
        """Return True if an alias counts as set: never with null, with another zero only beside its first name."""
        value = document[alias]
        return value is not None and (
            value not in _UNSET or _at(document, self._aliases[alias], _ABSENT) is not _ABSENT
        )

    def without_aliases(self, document: Mapping[str, Any], *, null_counts: bool = True) -> dict[str, Any]:
        """Return the document with the values of aliases moved to their first names.

        :param null_counts: whether null is a value like others (a merge patch removes members by it) or the same as a
            missing member.

        Aliases of read-only fields are dropped. Raises ``ValidationError``, for both names, where they have different
        values.
        """
        result = dict(document)
        wrong: dict[str, list[str]] = {}
        for name, path in self._aliases.items():
            if name not in result:
                continue
            value, first = result.pop(name), _at(result, path, _ABSENT)
            if path[0] in self._read_only:
                continue
            if first is _ABSENT or (first is None and not null_counts):
                _set(result, path, value)
            elif not alike(first, value):
                full = ".".join(path)
                wrong |= {name: [f"Another name of {full!r}, which has a different value."]}
                wrong.setdefault(full, []).append(f"Another name of {name!r}, which has a different value.")
        if wrong:
            raise ma.ValidationError(cast(dict[str, Any], wrong))
        return result

    def _render_with_aliases(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        rendered = self._render_members(spec)
        for name, path in self._spec_aliases.items():
            if (value := _at(rendered, path)) is not None:
                rendered[name] = value
        return rendered

    def name_again(self, document: dict[str, Any]) -> dict[str, Any]:
        """Add the aliases of the id and of the labels to a document and return it; missing labels get none."""
        for name, path in self._aliases.items():
            if path[0] in ENVELOPE and (value := _at(document, path)) is not None:
                document[name] = value
        return document

    def to_resource(self, loaded: Mapping[str, Any], *, type: str = "", namespace: str = "default") -> Resource:
        """Return the object of a validated body; fields left out or ``null`` are not set."""
        spec = {key: value for key, value in loaded.items() if key in self._writable and value is not None}
        return Resource(
            id=loaded.get("id", ""),
            spec=_without_nulls(spec),
            labels=texts(loaded.get("labels") or {}),
            annotations=texts(loaded.get("annotations") or {}, besides=cluster_lock.LOCKS),
            namespace=namespace,
            type=type,
        )

    def unknown_spec(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Return the members of a stored ``spec`` that this schema cannot write, e.g. those of a newer Omni.

        A replace must not lose them.
        """
        return {key: value for key, value in spec.items() if key not in self._writable}


def texts(pairs: Mapping[str, str | None], *, besides: Collection[str] = ()) -> dict[str, str]:
    """Return labels or annotations with the empty text for null; keys in ``besides`` are left out if null."""
    return {key: value or "" for key, value in pairs.items() if value is not None or key not in besides}


def _path(text: str) -> tuple[str, ...]:
    """Return the path that an alias refers to; ``labels:KEY`` is not split further, since keys have dots."""
    member, _, label = text.partition(":")
    return (member, label) if label else tuple(text.split("."))


def alike(first: Any, second: Any) -> bool:
    """Return True if two values of the same member are equal; null and zero values all mean "not set"."""
    return (first in _UNSET and second in _UNSET) or (first == second and type(first) is type(second))


def _at(document: Any, path: tuple[str, ...], absent: Any = None) -> Any:
    for word in path:
        if not isinstance(document, Mapping) or word not in document:
            return absent
        document = document[word]
    return document


def _set(document: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set a nested member; does nothing if a parent is not an object, which validation rejects afterwards."""
    target = document
    for parent in path[:-1]:
        inner = target.get(parent)
        if inner is not None and not isinstance(inner, Mapping):
            return
        target[parent] = dict(inner or {})
        target = target[parent]
    target[path[-1]] = value


def _without_nulls(value: Any) -> Any:
    """Return a value without ``null`` members at any depth: in Omni's JSON a field that is not set is absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
