"""The shapes of a schema in the OpenAPI document: one for answers, and one for each way to write.

Plugin authors declare one marshmallow schema for an object. apispec makes one component of it, in which members of
answers and of bodies are mixed. :func:`split_shapes` makes of each component the shapes that routes need:

======================  ================================================================================================
``Cluster``             in answers: all members but the write-only ones, required as far as they are always present
``ClusterCreate``       body of a POST: all members but the read-only ones
``ClusterReplace``      body of a PUT: the same without a required ``id``, which the URL has
``ClusterPatch``        body of a merge patch: every member is optional and may be null, which removes it
``ClusterBackupsInput``  a message within a body; within a merge patch it is ``ClusterBackupsPatch``
======================  ================================================================================================

A schema that is in no answer, such as that of an action's body, keeps its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from typing import Any

from omni_gateway.http.openapi.operations import operations
from omni_gateway.http.openapi.schema_names import SchemaNameTaken

#: Members of a component that only this module reads: names of members that an answer may lack, and of those that only
#: a create takes.
OPTIONAL, CREATE_ONLY = "x-optional-in-answers", "x-create-only"

_PREFIX = "#/components/schemas/"
_NULL = {"type": "null"}
#: Keywords that say what is settled by the shape that a property is in.
_SETTLED = ("readOnly", "writeOnly")
_EXAMPLES = ("example", "examples")
#: Keywords of a component that are made from its members.
_OF_MEMBERS = ("properties", "required", OPTIONAL, CREATE_ONLY)
#: Sections of the components that belong to answers.
_ANSWERED = ("responses", "headers")


class Shape(Enum):
    """A shape, with the suffix of its component's name."""

    ANSWER = ""
    CREATE = "Create"
    REPLACE = "Replace"
    PATCH = "Patch"
    #: A message within a body.
    INPUT = "Input"


def split_shapes(document: dict[str, Any]) -> None:
    """Replace the components of a document by the shapes that its operations use.

    Raises :class:`SchemaNameTaken` if a schema has the name of another one's shape.
    """
    components = document["components"]
    splitter = _Splitter(components.get("schemas", {}), _names_in_answers(document), _names_made_by_put(document))
    for section in _ANSWERED:
        if section in components:
            components[section] = splitter.shaped(components[section], Shape.ANSWER)
    for method, operation in _documented(document):
        operation["responses"] = splitter.shaped(operation["responses"], Shape.ANSWER)
        if "requestBody" in operation:
            shape = {"put": Shape.REPLACE, "patch": Shape.PATCH}.get(method, Shape.CREATE)
            operation["requestBody"] = splitter.shaped(operation["requestBody"], shape)
    components["schemas"] = dict(sorted(splitter.components.items()))


def _documented(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the operations with responses: a view that a plugin adds by itself may document none."""
    yield from ((method, operation) for method, operation in operations(document) if "responses" in operation)


def _names_made_by_put(document: Mapping[str, Any]) -> set[str]:
    """Return the schemas of the objects that a PUT may create: its body then takes a create's members."""
    return {
        name
        for method, operation in _documented(document)
        if method == "put" and {"201", "202"} & {str(status) for status in operation["responses"]}
        for name in _references(operation["requestBody"])
    }


def _names_in_answers(document: Mapping[str, Any]) -> set[str]:
    schemas = document["components"].get("schemas", {})
    waiting: list[Any] = [document["components"].get(section, {}) for section in _ANSWERED]
    waiting += [operation["responses"] for _, operation in _documented(document)]
    found: set[str] = set()
    while waiting:
        for name in _references(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(_members(schemas[name], Shape.ANSWER, ()))
                waiting.append({key: value for key, value in schemas[name].items() if key not in _OF_MEMBERS})
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if str(node.get("$ref", "")).startswith(_PREFIX):
            yield node["$ref"].removeprefix(_PREFIX)
        for item in node.values():
            yield from _references(item)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


class _Splitter:
    """Makes the shapes of components, each when it is referred to for the first time."""

    def __init__(self, mixed: Mapping[str, dict[str, Any]], in_answers: set[str], made_by_put: set[str]) -> None:
        self.components: dict[str, dict[str, Any]] = {}
        self._mixed = mixed
        self._in_answers = in_answers
        self._made_by_put = made_by_put

    def shaped(self, node: Any, shape: Shape) -> Any:
        """Return a copy of a part of the document that refers to a shape of each component."""
        if isinstance(node, dict):
            reference = str(node.get("$ref", ""))
            copy = {
                key: value if key in _EXAMPLES else self.shaped(value, shape)
                for key, value in node.items()
                if not (key in _SETTLED and value is True)
            }
            if reference.startswith(_PREFIX):
                copy["$ref"] = _PREFIX + self._component(reference.removeprefix(_PREFIX), shape)
            return copy
        return [self.shaped(item, shape) for item in node] if isinstance(node, list) else node

    def _component(self, origin: str, shape: Shape) -> str:
        """Return the name of a component's shape, after making it if it is new."""
        plain = shape in (Shape.CREATE, Shape.INPUT) and origin not in self._in_answers
        name = origin if plain else origin + shape.value
        if name != origin and name in self._mixed:
            text = f"the schema name {name!r} is taken: it is the name of a shape of {origin!r}; rename one"
            raise SchemaNameTaken(text, name, origin)
        if name not in self.components:
            self.components[name] = {}  # so that a schema may refer to itself
            self.components[name] = self._made(origin, shape)
        return name

    def _made(self, origin: str, shape: Shape) -> dict[str, Any]:
        mixed = self._mixed[origin]
        rest = {key: value for key, value in mixed.items() if key not in _OF_MEMBERS}
        made: dict[str, Any] = self.shaped(rest, shape)
        left_out = () if origin in self._made_by_put and shape is Shape.REPLACE else mixed.get(CREATE_ONLY, ())
        members = _members(mixed, shape, left_out)
        make = {Shape.ANSWER: self._answered, Shape.PATCH: self._patched}.get(shape, self._written)
        if "properties" in mixed:
            made["properties"] = {name: make(member) for name, member in members.items()}
        required = [name for name in members if _is_required(mixed, name, shape)]
        if required:
            made["required"] = required
        return made

    def _answered(self, member: Mapping[str, Any]) -> dict[str, Any]:
        """Return a member of an answer; a map's values are never null there."""
        rest = {key: value for key, value in member.items() if key != "default"}
        made: dict[str, Any] = self.shaped(rest, Shape.ANSWER)
        values = made.get("additionalProperties")
        if isinstance(values, dict) and isinstance(values.get("type"), list):
            made["additionalProperties"] = {**values, "type": next(kind for kind in values["type"] if kind != "null")}
        return made

    def _written(self, member: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = self.shaped(member, Shape.INPUT)
        return made

    def _patched(self, member: Mapping[str, Any]) -> dict[str, Any]:
        """Return a member of a merge patch: an object is merged, a list is replaced as a whole."""
        rest = {key: value for key, value in member.items() if key not in ("default", "additionalProperties")}
        made = self.shaped(rest, Shape.INPUT if "items" in member else Shape.PATCH)
        if isinstance(member.get("additionalProperties"), dict):
            values = member["additionalProperties"]
            made["additionalProperties"] = _nullable(self.shaped(values, Shape.PATCH)) if values else {}
        elif "additionalProperties" in member:
            made["additionalProperties"] = member["additionalProperties"]
        return _nullable(made)


def _members(mixed: Mapping[str, Any], shape: Shape, create_only: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """Return the members of a component that are in a shape of it."""
    members: Mapping[str, Mapping[str, Any]] = mixed.get("properties", {})
    if shape is Shape.ANSWER:
        return {name: member for name, member in members.items() if not member.get("writeOnly")}
    left_out = set(create_only) if shape in (Shape.REPLACE, Shape.PATCH) else set()
    if shape is Shape.PATCH and CREATE_ONLY in mixed:
        left_out.add("id")  # it never changes
    return {name: member for name, member in members.items() if not member.get("readOnly") and name not in left_out}


def _is_required(mixed: Mapping[str, Any], name: str, shape: Shape) -> bool:
    if shape is Shape.ANSWER and OPTIONAL in mixed:
        return name not in mixed[OPTIONAL]
    if shape is Shape.PATCH or (shape is Shape.REPLACE and name in ("id", *mixed.get(CREATE_ONLY, ()))):
        return False
    return name in mixed.get("required", ())


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that allows null too."""
    if "anyOf" in schema:
        return schema if _NULL in schema["anyOf"] else {**schema, "anyOf": [*schema["anyOf"], _NULL]}
    if "$ref" in schema or "oneOf" in schema:
        key = "$ref" if "$ref" in schema else "oneOf"
        rest = {name: value for name, value in schema.items() if name != key}
        return {**rest, "anyOf": [{key: schema[key]}, _NULL]}
    if "type" not in schema:
        return schema
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "null" in kinds:
        return schema
    made = {**schema, "type": [*kinds, "null"]}
    return {**made, "enum": [*schema["enum"], None]} if "enum" in schema else made
