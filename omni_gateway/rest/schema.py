"""What a plugin says of its objects' fields; the envelope around them is the same for every resource."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, cast

import marshmallow as ma
from marshmallow import fields, validate

from omni_gateway.http.fixed_schema import FixedSchema
from omni_gateway.model.resource import Resource
from omni_gateway.rest import cluster_lock
from omni_gateway.rest.serializer import compile_schema

ENVELOPE = frozenset({"id", "namespace", "labels", "annotations", "metadata", "_links"})
READ_ONLY_ENVELOPE = ("metadata", "_links", "namespace")

MAX_ID_BYTES = 1024
_ABSENT = object()
#: Values that mean "not set".
_UNSET: tuple[Any, ...] = (None, False, 0, "")
_PAIRS = validate.Length(max=256)


def _within(most: int, least: int = 0) -> Callable[[str], None]:
    """Hold a text to Omni's limits, which count bytes (facts: cluster-side 1.8)."""

    def check(text: str) -> None:
        if not least <= len(text.encode()) <= most:
            raise ma.ValidationError(f"Must be {least} to {most} bytes." if least else f"Must be at most {most} bytes.")

    return check


_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_LABEL_KEY = _within(1024, least=1)
_LABEL_VALUE = _within(16384)


def _no_control_characters(text: str) -> None:
    if _CONTROL_CHARACTER.search(text):
        raise ma.ValidationError("Must not contain control characters.")


def _valid_id(text: str) -> None:
    """Hold an id to Omni's limits for every type (facts: cluster-side 1.8)."""
    if not text:
        raise ma.ValidationError("Must not be empty.")
    if len(text.encode()) > MAX_ID_BYTES:
        raise ma.ValidationError(f"Must be at most {MAX_ID_BYTES} bytes.")
    _no_control_characters(text)


class SpecSchema(FixedSchema):
    """A nested message, or the body of an action; unknown fields are refused."""

    #: For an action's body: whether a request without any body means an empty object.
    body_optional: ClassVar[bool] = False

    class Meta:
        """Refuse what is not declared."""

        unknown = ma.RAISE


class MetadataSchema(SpecSchema):
    """What the back end says about an object; read-only."""

    type = fields.String(metadata={"description": "Resource type"})
    version = fields.Integer(metadata={"description": "Raised by every write, the back end's own included"})
    phase = fields.String(metadata={"enum": ["running", "tearingDown"]})
    owner = fields.String(metadata={"description": "The controller that owns the object; empty for users' objects"})
    created = fields.String(allow_none=True, metadata={"format": "date-time"})
    updated = fields.String(allow_none=True, metadata={"format": "date-time"})
    finalizers = fields.List(fields.String())


def _pairs(description: str) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(validate=[_LABEL_KEY, _no_control_characters]),
        values=fields.String(validate=[_LABEL_VALUE, _no_control_characters], allow_none=True),
        validate=_PAIRS,
        metadata={"description": description, "additionalProperties": {"type": ["string", "null"]}},
    )


class ResourceSchema(SpecSchema):
    """Base of every resource's schema: declare the spec's fields, the envelope is here.

    A caller may send back what it read: ``metadata``, ``_links`` and ``namespace`` are accepted and ignored.
    So are fields that a plugin declares ``dump_only``.
    """

    id = fields.String(required=True, validate=_valid_id, metadata={"description": "Unique name of the object"})
    namespace = fields.String(dump_only=True)
    labels = _pairs("Labels; selectors match them. `null` is the empty text")
    annotations = _pairs(
        "Annotations; `null` is the empty text. A write that does not name a lock leaves it; `null` takes a lock off"
    )
    metadata = fields.Nested(MetadataSchema, dump_only=True)
    links = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        data_key="_links",
        dump_only=True,
        metadata={"description": "Relative URLs", "additionalProperties": {"type": "string"}},
    )

    #: Whether a caller may leave the id out, and the adapter's ``check`` completes it.
    id_optional: ClassVar[bool] = False

    #: Fields of the request that are no part of the object's spec (a plugin's adapter reads them from ``extras``).
    request_only: ClassVar[frozenset[str]] = frozenset()

    #: Members of an answer that are told once and kept nowhere, the answers to repeated requests included.
    returned_once: ClassVar[frozenset[str]] = frozenset()

    #: Second names: of members of the spec (``{"workload_proxy": "features.enable_workload_proxy"}``), of the ``id``,
    #: of labels (``{"cluster": "labels:omni.sidero.dev/cluster"}``). Each is declared as a ``dump_only`` field;
    #: callers read it under both names and may write it under either.
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
        self._writable = frozenset(key for key, field in wire.items() if not field.dump_only)

    def name_the_only(self, id: str) -> None:
        """Let the id be left out: there is but one object of this kind."""
        field = self.fields["id"]
        field.required, field.load_default = False, id
        field.validate = validate.Equal(id)
        field.validators = [field.validate]

    @ma.pre_load
    def drop_read_only(self, data: Any, **_: Any) -> Any:
        """Let a document that was read be sent back: its read-only fields count for nothing."""
        if not isinstance(data, Mapping):
            return data
        said = {key: value for key, value in data.items() if key not in self._aliases or self._says(data, key)}
        plain = self.without_aliases(said, null_counts=False)
        return {
            key: value for key, value in plain.items() if key not in READ_ONLY_ENVELOPE and not self._read_only(key)
        }

    def _says(self, document: Mapping[str, Any], alias: str) -> bool:
        """Whether a second name counts: null never does, another zero value where the first name is there too."""
        value = document[alias]
        return value is not None and (
            value not in _UNSET or _at(document, self._aliases[alias], _ABSENT) is not _ABSENT
        )

    def without_aliases(self, document: Mapping[str, Any], *, null_counts: bool = True) -> dict[str, Any]:
        """Move values that stand under a second name to their first.

        Raises ``ValidationError`` for both names where they disagree. ``null_counts``: null is a value like others (a
        merge patch removes by it); else it is as if the name were not there. Names of what is read-only are dropped.
        """
        result = dict(document)
        wrong: dict[str, list[str]] = {}
        for name, path in self._aliases.items():
            if name not in result:
                continue
            value, first = result.pop(name), _at(result, path, _ABSENT)
            if self._read_only(path[0]):
                continue
            if first is _ABSENT or (first is None and not null_counts):
                _set(result, path, value)
            elif not alike(first, value):
                full = ".".join(path)
                wrong |= {name: [f"Another name of {full!r}, which says otherwise."]}
                wrong.setdefault(full, []).append(f"Another name of {name!r}, which says otherwise.")
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
        """Add to a whole document the second names of its id and of its labels; what is not there has none."""
        for name, path in self._aliases.items():
            if path[0] in ENVELOPE and (value := _at(document, path)) is not None:
                document[name] = value
        return document

    def _read_only(self, key: str) -> bool:
        field = self.dump_fields.get(key)
        return field is not None and field.dump_only

    def to_resource(self, loaded: Mapping[str, Any], *, type: str = "", namespace: str = "default") -> Resource:
        """Build the object that validated input describes; fields left out or ``null`` are not set."""
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
        """Return what a newer back end keeps in ``spec`` and this schema cannot write: a replace must not lose it."""
        return {key: value for key, value in spec.items() if key not in self._writable}


def texts(pairs: Mapping[str, str | None], *, besides: Collection[str] = ()) -> dict[str, str]:
    """Return labels or annotations with the empty text for null; a null of a key in ``besides`` leaves the key out."""
    return {key: value or "" for key, value in pairs.items() if value is not None or key not in besides}


def _path(text: str) -> tuple[str, ...]:
    """Split where a second name points to; a label's key has dots of its own."""
    where, _, label = text.partition(":")
    return (where, label) if label else tuple(text.split("."))


def alike(first: Any, second: Any) -> bool:
    """Whether two names of one datum say the same: null and zero values are all "not set"."""
    return (first in _UNSET and second in _UNSET) or (first == second and type(first) is type(second))


def _at(document: Any, path: tuple[str, ...], absent: Any = None) -> Any:
    for word in path:
        if not isinstance(document, Mapping) or word not in document:
            return absent
        document = document[word]
    return document


def _set(document: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set a nested member; a parent that is no object is left for validation to refuse."""
    place = document
    for parent in path[:-1]:
        inner = place.get(parent)
        if inner is not None and not isinstance(inner, Mapping):
            return
        place[parent] = dict(inner or {})
        place = place[parent]
    place[path[-1]] = value


def _without_nulls(value: Any) -> Any:
    """Drop ``null`` members at every depth: on the wire a field that is not set is absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
