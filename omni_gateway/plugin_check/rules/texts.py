"""Rules of texts: what callers read in the document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from marshmallow import fields as plain
from marshmallow import validate

from omni_gateway.plugin_check.rule import Fault, Grade, rule
from omni_gateway.plugin_check.rules.declaration import texts_of
from omni_gateway.plugin_check.rules.schema import nested_schema, place_of_field, spec_fields
from omni_gateway.plugin_check.source import place_of_function
from omni_gateway.plugin_check.subject import Subject
from omni_gateway.sdk import fields


@rule("plugin-description", Grade.SILVER)
def plugin_description(subject: Subject) -> Iterator[Fault]:
    """The plugin says in sentences what its objects are."""
    text = subject.service.blueprint.description or ""
    if not text.strip():
        yield Fault("there is no description", "write description= with a sentence on the objects", subject.place)
    elif not text.rstrip().endswith((".", "!", "`")):
        yield Fault("the description is no sentence", "end it with a full stop", subject.argument("description"))


@rule("write-texts", Grade.SILVER)
def write_texts(subject: Subject) -> Iterator[Fault]:
    """A plugin that writes says what a write and a delete lead to."""
    plugin = subject.resource
    if {"create", "replace", "patch"} & set(plugin.roles) and not plugin.after_write:
        yield Fault("it does not say what a write leads to", "write after_write= with a sentence", subject.place)
    if "delete" in plugin.roles and not plugin.after_delete:
        yield Fault("it does not say what a delete leads to", "write after_delete= with a sentence", subject.place)


@rule("operation-texts", Grade.SILVER)
def operation_texts(subject: Subject) -> Iterator[Fault]:
    """Each action and document has a summary and a description, each filter, sub-resource and operation kind a line."""
    for of, summary, description, function in texts_of(subject):
        for word, text in (("summary", summary), ("description", description)):
            if not text.strip():
                yield Fault(
                    f"the {of} has no {word}",
                    f"write {word}= with a sentence",
                    place_of_function(function) or subject.place,
                )
    for sub in subject.subresources:
        if not sub.summary.strip():
            yield Fault(f"the sub-resource {sub.name!r} has no summary", "give one", subject.argument("subresources"))
    for kind in subject.service.operations:
        if not kind.summary.strip():
            place = place_of_function(kind.read) or subject.place
            yield Fault(f"the operation kind {kind.name!r} has no summary", "write summary=", place)
    for each in getattr(subject.service, "filters", ()):
        if not each.description.strip():
            place = subject.argument("filters")
            yield Fault(f"the filter {each.name!r} has no description", "say which objects it selects", place)


def _schemas(subject: Subject, *, with_queries: bool) -> Iterator[ma.Schema]:
    """Yield the schemas of objects, sub-resources, bodies and answers, and the messages in them, each once."""
    waiting: list[ma.Schema] = [shown.schema for shown in subject.schemas]
    for action in subject.actions:
        waiting += [kind() for kind in (action.body, action.answers) if kind is not None]
    for document in subject.documents:
        kinds = (document.answers, document.body, document.query if with_queries else None)
        waiting += [kind() for kind in kinds if kind is not None]
    seen: set[type] = set()
    while waiting:
        schema = waiting.pop(0)
        if type(schema) in seen or type(schema).__module__.startswith("omni_gateway."):
            continue
        seen.add(type(schema))
        yield schema
        waiting += [inner for field in schema.fields.values() if (inner := nested_schema(field)) is not None]


@rule("field-descriptions", Grade.SILVER)
def field_descriptions(subject: Subject) -> Iterator[Fault]:
    """Each field has a description, those of queries too."""
    for schema in _schemas(subject, with_queries=True):
        for name, field in spec_fields(schema).items():
            if not str(field.metadata.get("description", "")).strip():
                yield Fault(
                    f"the field {name!r} of {type(schema).__name__} has no description",
                    'write metadata={"description": ...}, with unit, format or values',
                    place_of_field(schema, name, subject),
                )


@rule("field-examples", Grade.SILVER)
def field_examples(subject: Subject) -> Iterator[Fault]:
    """Each field of answers whose values are neither plain from its type nor secret has an example."""
    for schema in _schemas(subject, with_queries=False):
        for name, field in spec_fields(schema).items():
            is_shown = not field.load_only and name not in getattr(schema, "returned_once", ())
            if is_shown and _needs_example(field) and "example" not in field.metadata:
                yield Fault(
                    f"the field {name!r} of {type(schema).__name__} has no example",
                    'write metadata={..., "example": ...}',
                    place_of_field(schema, name, subject),
                )


def _needs_example(field: ma.fields.Field[Any]) -> bool:
    """Return whether a field is a text or a number whose values its type, enum or validators do not name."""
    named = "enum" in field.metadata or any(isinstance(each, validate.OneOf) for each in field.validators)
    return isinstance(field, (plain.String, plain.Number)) and not isinstance(field, fields.Secret) and not named
